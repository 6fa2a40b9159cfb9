"""A WSGI application to stall against: slow.py's, one that reads its body, and one that answers 50 MB.

* `/upload` reads the whole body before it answers; `/large` is a list of pieces, as a framework's response is that has
  its content; `/generated` gives the same pieces by a generator, which must not be asked for the next one too early.
"""

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any

from benchmarks.slow import app as slow

PIECE = bytes(65536)
PIECES = 763
"""So many pieces are 50 MB."""


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer as the path says."""
    path = environ["PATH_INFO"]
    if path == "/upload":
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
        return [b"done\n"]
    if path in ("/large", "/generated"):
        length = str(len(PIECE) * PIECES)
        start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", length)])
        return [PIECE] * PIECES if path == "/large" else (piece for piece in repeat(PIECE, PIECES))
    return slow(environ, start_response)

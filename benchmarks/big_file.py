"""A WSGI application that hands the file named by the environment variable BIG_FILE to wsgi.file_wrapper.

A server that has no wsgi.file_wrapper (PEP 3333 makes it optional) gets the file in pieces from a generator.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

PIECE = 65536


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer every request with the whole file."""
    path = Path(os.environ["BIG_FILE"])
    file = path.open("rb")
    start_response(
        "200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(path.stat().st_size))]
    )
    wrapper: Callable[[BinaryIO, int], Iterable[bytes]] = environ.get("wsgi.file_wrapper", pieces)
    return wrapper(file, PIECE)


def pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The file in pieces of `size` octets, closed at the end."""
    with file:
        while piece := file.read(size):
            yield piece

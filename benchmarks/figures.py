"""A WSGI application of four answers, one for each figure of docs/performance.md, so that a benchmark sees the server.

* `/` is plain.py's line of text; `POST /json` reads a JSON object of numbers and answers their sum as JSON;
* `/mib` is one MiB in one piece; `/stream` is a hundred pieces of 64 octets from a generator, of unknown length.

Anything else is 404. It computes as little as it can.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.plain import app as plain

MIB = b"wsgiraw " * 131_072
MIB_FIELDS = [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(MIB)))]
PIECES = [b"%-63d\n" % number for number in range(100)]


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer as the path says."""
    path = environ["PATH_INFO"]
    if path == "/":
        return plain(environ, start_response)
    if path == "/json" and environ["REQUEST_METHOD"] == "POST":
        numbers = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        answer = json.dumps({"sum": sum(numbers.values())}).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
        return [answer]
    if path == "/mib":
        start_response("200 OK", list(MIB_FIELDS))
        return [MIB]
    if path == "/stream":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return (piece for piece in PIECES)
    start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
    return [b""]

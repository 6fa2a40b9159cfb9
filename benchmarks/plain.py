"""The smallest sensible WSGI application: one fixed line of text, so that a benchmark sees the server alone."""

from collections.abc import Callable, Iterable
from typing import Any

BODY = b"Hello, World!\n"
FIELDS = [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))]


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer every request with 200 and the same 14 octets."""
    start_response("200 OK", list(FIELDS))  # a copy: servers may change the list that they are given
    return [BODY]

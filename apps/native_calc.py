"""The calculator as plain WSGI (PEP 3333), with nothing but the standard library. It only routes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from apps import answers
from apps.calculator import DOCUMENT_BYTES, OPERATIONS

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["app"]


def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer one request."""
    status, headers, body = route(environ)
    start_response(status, headers.copy())
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def route(environ: "WSGIEnvironment") -> answers.Answer:
    method = environ["REQUEST_METHOD"]
    path = environ.get("PATH_INFO", "")
    if path in ("", "/"):
        return answers.PAGE if method in ("GET", "HEAD") else answers.GET_ONLY
    if path == "/calc":
        return posted(environ) if method == "POST" else answers.POST_ONLY
    match path.split("/"):
        case "", operation, first, second if operation in OPERATIONS and first and second:
            # An operand that is not ASCII is no number: PEP 3333's latin-1 need not be decoded to say so.
            return answers.calculation(operation, first, second) if method in ("GET", "HEAD") else answers.GET_ONLY
    return answers.NOT_FOUND


def posted(environ: "WSGIEnvironment") -> answers.Answer:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > DOCUMENT_BYTES:
        return answers.TOO_LARGE
    return answers.document(environ["wsgi.input"].read(length))

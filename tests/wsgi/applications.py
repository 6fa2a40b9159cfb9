"""Requests and applications that the tests of PEP 3333 are made of."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from wsgiref.validate import validator

from tests.wire import PATIENCE

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["TEXT", "Closing", "Told", "answering", "asked", "read_until_reset"]

TEXT = [("Content-Type", "text/plain")]


def asked(method: str = "GET", target: str = "/", *lines: str, version: str = "HTTP/1.1", body: bytes = b"") -> bytes:
    """Return a request; a body gets its Content-Length."""
    fields = ["Host: a", *lines]
    if body:
        fields.append(f"Content-Length: {len(body)}")
    head = "".join(line + "\r\n" for line in [f"{method} {target} {version}", *fields, ""])
    return head.encode("latin-1") + body


def read_until_reset(client: socket.socket) -> bytes:
    """Return what comes before the connection is cut. That it ends in order is a failure."""
    received = bytearray()
    try:
        while data := client.recv(65536):
            received += data
    except ConnectionResetError:
        return bytes(received)
    raise AssertionError("the connection ended in order")


def answering(
    result: Callable[[], Iterable[Any]],
    status: str = "200 OK",
    fields: list[tuple[str, str]] | None = None,
    *,
    valid: bool = True,
) -> "WSGIApplication":
    """Return an application that answers with what `result` returns; where it is valid, the validator watches it."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response(status, TEXT if fields is None else fields)
        return result()

    return validator(application) if valid else application


class Closing:
    """An iterable that counts how often it is closed. A piece that is an exception is raised."""

    def __init__(self, pieces: Iterable[bytes | BaseException], in_close: BaseException | None = None) -> None:
        self._pieces = pieces
        self._in_close = in_close
        self.closed = 0
        self._was_closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    def close(self) -> None:
        """Count, and fail if that is wanted."""
        self.closed += 1
        self._was_closed.set()
        if self._in_close is not None:
            raise self._in_close

    def wait(self) -> None:
        """Return once closed."""
        assert self._was_closed.wait(PATIENCE)


class Told:
    """An application that keeps what it was told, and answers nothing much."""

    def __init__(self) -> None:
        self.environs: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        self.environs.append(dict(environ))
        self.bodies.append(environ["wsgi.input"].read(-1))
        start_response("200 OK", TEXT)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else b"told"]

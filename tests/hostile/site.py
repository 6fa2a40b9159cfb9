"""The application that the hostile clients meet: said hello to, fed with bodies, and asked for more than they take."""

import hashlib
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tests.strategies.applications import hello
from tests.wire import PATIENCE

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["PIECE", "app"]

PIECE = bytes(64 * 1024)


def endless() -> Iterator[bytes]:
    while True:
        yield PIECE


def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer as the path says; `hello` for what is not known here."""
    path = environ["PATH_INFO"]
    if path == "/endless":
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return endless()
    if path == "/written":
        write = start_response("200 OK", [("Content-Type", "application/octet-stream")])
        for _ in range(200):
            write(PIECE)
        return []
    if path == "/digest":
        digest = hashlib.sha256()
        while data := environ["wsgi.input"].read(65536):
            digest.update(data)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{environ['CONTENT_LENGTH']} {digest.hexdigest()}".encode()]
    if path == "/wait-for-nobody":
        gone = environ["wsgiraw.client_gone"]
        environ["wsgi.errors"].write(f"waits {gone()}\n")
        pause = threading.Event()
        for _ in range(int(PATIENCE / 0.01)):
            if gone():
                environ["wsgi.errors"].write("nobody waits\n")
                break
            pause.wait(0.01)
    return hello(environ, start_response)

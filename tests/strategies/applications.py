"""Applications and a reader that the tests of strategies share."""

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from tests.wire import PATIENCE, Reply, replies

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["GET", "Gate", "Pieces", "hello", "read_reply"]

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def hello(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Say which path was asked for."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"hello {environ['PATH_INFO']}".encode()]


class Gate:
    """`hello`, but a request for /wait is not answered before `released` is set."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()
        self.paths: list[str] = []

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        self.paths.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] == "/wait":
            self.entered.set()
            assert self.released.wait(PATIENCE)
        return hello(environ, start_response)


class Pieces:
    """An endless body for /endless, `hello` for anything else; tells how often `close()` was called."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.closings = 0
        self.made = 0

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/endless":
            return hello(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return self

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.made += 1
            yield bytes(64 * 1024)

    def close(self) -> None:
        self.closings += 1
        self.closed.set()


def read_reply(stream: BinaryIO) -> Reply:
    """Read one response from a connection that stays open."""
    octets = b""
    while not octets.endswith(b"\r\n\r\n"):
        line = stream.readline()
        assert line, f"the connection ended in a head: {octets!r}"
        octets += line
    body = b""
    if length := re.search(rb"(?i)\r\ncontent-length: ([0-9]+)\r\n", octets):
        body = stream.read(int(length[1]))
        octets += body
    elif re.search(rb"(?i)\r\ntransfer-encoding: chunked\r\n", octets):
        chunks = []
        while size := int(stream.readline(), 16):
            chunks.append(stream.read(size))
            assert stream.read(2) == b"\r\n"
        assert stream.read(2) == b"\r\n"
        octets += b"0\r\n\r\n"
        body = b"".join(chunks)
    (reply,) = replies(octets)
    return replace(reply, body=body)

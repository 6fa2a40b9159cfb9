"""Applications and a reader that the tests of strategies share."""

import os
import re
import select
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tests.wire import PATIENCE, Reply, replies

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["GET", "Gate", "Happened", "Pieces", "children", "hello", "one_at_a_time", "read_reply"]

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def hello(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Say which path was asked for."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"hello {environ['PATH_INFO']}".encode()]


class Happened:
    """What `threading.Event` does, for processes too: an octet in a pipe for each time that it happened."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        weakref.finalize(self, _close, self._reader, self._writer)

    def set(self) -> None:
        """It has happened, perhaps once more."""
        os.write(self._writer, b"\0")

    def wait(self, timeout: float) -> bool:
        """Wait up to so many seconds; return whether it has happened."""
        return bool(select.select([self._reader], [], [], timeout)[0])

    def clear(self) -> None:
        """Let it be as if it had not happened yet."""
        self.take()

    def take(self) -> int:
        """Return how often it has happened since this was asked."""
        return len(os.read(self._reader, 4096)) if self.wait(0) else 0


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def one_at_a_time(strategy: str) -> dict[str, int]:
    """Return the options with which a strategy calls the application for one request at a time."""
    if strategy == "forking":
        return {"max_children": 1}
    return {} if strategy in ("eventloop", "serial") else {"threads": 1}


class Gate:
    """`hello`, but a request for /wait is not answered before `released` is set."""

    def __init__(self) -> None:
        self.entered = Happened()
        self.released = Happened()
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
        self.closed = Happened()
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
        self.closed.set()

    @property
    def closings(self) -> int:
        """How often it was closed since this was asked."""
        return self.closed.take()


def children() -> list[str]:
    """Return our child processes, each with its state: `Z` is a zombie."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
        if int(parent) == os.getpid():
            found.append(f"{stat.parent.name} {state}")
    return found


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

"""`close()` exactly once, and no response that looks whole and is not, whatever happens to a response on its way.

Framing itself, lengths that lie and fields that split are in tests/wsgi.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Serve
from tests.hostile.clients import ask, dial, reset
from tests.strategies.applications import GET, Gate, Happened, hello
from tests.strategies.waiting import eventually
from tests.wire import PATIENCE, exchange, read_all, replies
from tests.wsgi.applications import read_until_reset
from wsgiraw import Server

SIZE = 20_000_000
LARGE = ask("/large")


class Closable:
    """What an application returns, of several kinds; it tells when it is closed."""

    def __init__(self, kind: str, path: Path) -> None:
        self.kind = kind
        self.path = path
        self.closed = Happened()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ["PATH_INFO"] != "/large":
            return hello(environ, start_response)
        write = start_response("200 OK", [("Content-Length", str(SIZE))])
        if self.kind == "written":
            write(bytes(SIZE // 2))
        if self.kind == "file":
            return environ["wsgi.file_wrapper"](File(self))
        return List(self) if self.kind == "list" else self

    def __iter__(self) -> Iterator[bytes]:
        return (bytes(50_000) for _ in range(SIZE // 50_000))

    def close(self) -> None:
        self.closed.set()


class List(list[bytes]):
    """A body that is all there."""

    def __init__(self, closable: Closable) -> None:
        super().__init__([bytes(SIZE)])
        self.close = closable.close


class File:
    """A file that is sent from its descriptor."""

    def __init__(self, closable: Closable) -> None:
        self._file = closable.path.open("rb")
        self._closable = closable
        self.fileno, self.read, self.tell = self._file.fileno, self._file.read, self._file.tell

    def close(self) -> None:
        self._file.close()
        self._closable.close()


@pytest.fixture(params=["pieces", "list", "file", "written"])
def closable(request: pytest.FixtureRequest, tmp_path: Path) -> Closable:
    """Each kind of body in turn."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(SIZE)
    return Closable(request.param, path)


def client_resets(server: Server, client: socket.socket) -> None:
    reset(client)


def client_closes(server: Server, client: socket.socket) -> None:
    client.close()


def client_reads_no_more(server: Server, client: socket.socket) -> None:
    """Time passes; the server has a short write_timeout."""


def server_stops(server: Server, client: socket.socket) -> None:
    server.shutdown()
    server.shutdown()


def read_to_any_end(client: socket.socket) -> bytes:
    """Read a response whose length says that something is missing, if the end does not."""
    received = bytearray()
    with suppress(ConnectionResetError):
        while data := client.recv(65536):
            received += data
    return bytes(received)


FAULTS = [client_resets, client_closes, client_reads_no_more, server_stops]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_closed_once(serve: Serve, closable: Closable, fault: Callable[[Server, socket.socket], None]) -> None:
    server = serve(closable, write_timeout=0.3 if fault is client_reads_no_more else PATIENCE)
    with dial(server.port, narrow=True) as client:
        client.sendall(LARGE)
        assert client.recv(1) == b"H"
        fault(server, client)
        assert closable.closed.wait(PATIENCE)
        if client.fileno() >= 0:
            assert len(read_to_any_end(client) if fault is server_stops else read_until_reset(client)) < SIZE
    if fault is not server_stops:
        assert replies(exchange(server, GET))[0].status == 200
    server.close()
    assert closable.closed.take() == 1


def test_closed_once_when_all_is_well(serve: Serve, closable: Closable) -> None:
    server = serve(closable)
    (reply,) = replies(exchange(server, LARGE))
    assert reply.body == bytes(SIZE)
    server.close()
    assert closable.closed.take() == 1


@pytest.mark.parametrize("known", [True, False])
def test_closed_once_when_the_application_breaks_off(serve: Serve, known: bool) -> None:
    """In the middle, once with a length and once in chunks: it must not look whole."""
    closed = Happened()

    class Breaks:
        def __iter__(self) -> Iterator[bytes]:
            yield bytes(1000)
            raise LookupError("as ordered")

        def close(self) -> None:
            closed.set()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        start_response("200 OK", [("Content-Length", "2000")] if known else [])
        return Breaks()

    server = serve(application)
    with dial(server.port) as client:
        client.sendall(GET + GET)  # the second is not answered
        received = read_until_reset(client)
    assert received.count(b"HTTP/1.1") <= 1
    assert not received.endswith(b"0\r\n\r\n")
    server.close()
    assert closed.take() == 1


@pytest.mark.parametrize("leave", [reset, socket.socket.close])
def test_closed_once_when_the_client_has_gone_before_it_begins(
    serve: Serve, leave: Callable[[socket.socket], None]
) -> None:
    """The application is called already, but has not returned."""
    gate, closed = Gate(), Happened()

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield bytes(100_000)

        def close(self) -> None:
            closed.set()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        body = gate(environ, start_response)
        return Body() if environ["PATH_INFO"] == "/wait" else body

    server = serve(application)
    client = dial(server.port)
    client.sendall(ask("/wait") + GET)
    assert gate.entered.wait(PATIENCE)
    leave(client)
    gate.released.set()
    assert closed.wait(PATIENCE)
    assert replies(exchange(server, GET))[0].status == 200
    server.close()
    assert closed.take() == 1
    assert gate.paths == ["/wait", "/"]  # what was behind it is not asked for any more


def test_a_stop_does_not_make_half_a_response_look_whole(serve: Serve) -> None:
    """HTTP/1.0 ends a body with the connection: only a reset shows that something is missing."""
    made: list[bytes] = []

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        start_response("200 OK", [])
        for _ in range(1000):
            made.append(bytes(50_000))
            yield made[-1]

    def waits_for_its_client() -> bool:
        before = len(made)
        threading.Event().wait(0.1)
        return len(made) == before

    server = serve(application, graceful_timeout=0)
    with dial(server.port, narrow=True) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert client.recv(1) == b"H"
        eventually(waits_for_its_client)
        server.shutdown()
        read_until_reset(client)


def test_a_half_closed_client_gets_it_to_the_end(serve: Serve, closable: Closable) -> None:
    server = serve(closable)
    with dial(server.port) as client:
        client.sendall(LARGE)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b"H"
        server.shutdown()  # not even now
        received = read_all(client)
    assert received.endswith(bytes(SIZE))
    assert closable.closed.wait(PATIENCE)
    server.close()
    assert closable.closed.take() == 1

"""Clients that stall in each phase: parted with in time, and nobody else notices.

One client and one phase at a time is in tests/strategies/test_timeouts.py; here are rates, and crowds.
"""

import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.hostile.clients import STALLS, Crowd, ask, dial, post
from tests.hostile.site import app
from tests.process import running
from tests.strategies.applications import GET, Happened, read_reply
from tests.strategies.waiting import eventually
from tests.wire import connect, exchange, read_all, replies
from tests.wsgi.applications import read_until_reset
from wsgiraw import Server

SHORT = 0.4
PATIENT = 1.2
"""Seconds that a client who goes on all the time cannot lose, however busy the machine is."""


def spend(seconds: float) -> None:
    threading.Event().wait(seconds)


def drip(client: socket.socket, octets: bytes, pause: float) -> None:
    """Send octets again and again until the server has said something."""
    client.setblocking(False)
    for _ in range(500):
        spend(pause)
        try:
            if client.recv(1, socket.MSG_PEEK):
                break
        except BlockingIOError:
            client.send(octets)
    client.settimeout(20)


@pytest.mark.parametrize("framing", ["Content-Length: 1000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nfffff\r\n"])
def test_a_body_below_the_rate_gets_408(serve: Serve, framing: str) -> None:
    """A thousand octets a second where ten thousand are asked for: never silent, yet too slow."""
    server = serve(app, body_timeout=SHORT, min_rate=10_000)
    with connect(server) as client:
        client.sendall(f"POST / HTTP/1.1\r\nHost: a\r\n{framing}".encode())
        drip(client, bytes(20), 0.02)
        (reply,) = replies(read_all(client), "POST")
    assert (reply.status, reply.body) == (408, b"the request body took too long\n")
    assert server.tally["body_timeout"] == 1


def test_a_body_that_begins_well_and_then_only_drips_gets_408(serve: Serve) -> None:
    """Octets of an earlier span do not count for a later one."""
    server = serve(app, body_timeout=SHORT, min_rate=1000)
    with connect(server) as client:
        client.sendall(post("/", bytes(1_000_000))[:500_000])
        drip(client, b"x", 0.02)
        (reply,) = replies(read_all(client), "POST")
    assert reply.status == 408


def test_a_response_taken_below_the_rate_is_cut_off(serve: Serve) -> None:
    """A few octets at a time where more are asked for: always reading, yet too slow."""
    server = serve(app, write_timeout=SHORT, min_rate=1_000_000)

    def take(path: str) -> None:
        with dial(server.port, narrow=True) as client:
            client.sendall(ask(path))
            with suppress(ConnectionResetError):
                for _ in range(1000):
                    assert client.recv(100)
                    spend(0.01)
                pytest.fail("it was never cut off")

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(take, ["/endless", "/written"])) == [None, None]
    assert server.tally["write_timeout"] == 2


class Large:
    """A response that is larger than what the kernel holds, in pieces or in one."""

    SIZE = 6_000_000

    def __init__(self, count: int) -> None:
        self.pieces = [bytes(self.SIZE // count)] * count
        self.closed = Happened()

    def __call__(self, environ, start_response):  # type: ignore[no-untyped-def]
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return self

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self.pieces)

    def close(self) -> None:
        self.closed.set()


def upload(server: Server) -> None:
    """Send a body slowly, which takes longer than PATIENT."""
    with connect(server) as client, client.makefile("rb") as stream:
        client.sendall(post("/digest", bytes(100_000))[:-100_000])
        began, sent = time.monotonic(), 0
        while time.monotonic() < began + 1.5 * PATIENT:
            client.sendall(bytes(500))
            sent += 500
            spend(0.02)
        client.sendall(bytes(100_000 - sent))
        reply = read_reply(stream)
    assert (reply.status, reply.body.split()[0]) == (200, b"100000")


def download(server: Server, path: str) -> None:
    """Take a response slowly, which takes longer than PATIENT."""
    with dial(server.port, narrow=True) as client:
        client.sendall(ask(path, "Connection: close"))
        began, received = time.monotonic(), bytearray()
        while time.monotonic() < began + 1.5 * PATIENT:
            received += client.recv(20_000)
            spend(0.02)
        assert len(received) < Large.SIZE / 2, "it was to be slow"
        received += read_all(client)
    (reply,) = replies(bytes(received))
    assert len(reply.body) == Large.SIZE


def test_above_the_rate_both_bodies_and_responses_may_take_their_time(serve: Serve) -> None:
    """Longer than the timeout for the whole, which is a limit to each span only. All at the same time."""
    large = {"/large/1": Large(1), "/large/100": Large(100)}

    def either(environ, start_response):  # type: ignore[no-untyped-def]
        return large.get(environ["PATH_INFO"], app)(environ, start_response)

    server = serve(either, body_timeout=PATIENT, write_timeout=PATIENT, min_rate=100)
    with ThreadPoolExecutor() as pool:
        clients = [pool.submit(upload, server), *(pool.submit(download, server, path) for path in large)]
        for client in clients:
            client.result()
    for response in large.values():
        assert response.closed.wait(20)
        assert response.closed.take() == 1
    assert (server.tally["body_timeout"], server.tally["write_timeout"]) == (0, 0)


@pytest.mark.parametrize("kind", ["one piece", "pieces", "file", "written"])
def test_a_response_that_nobody_reads_is_cut_off(serve: Serve, kind: str, tmp_path: Path) -> None:
    """With a reset, so that what has arrived cannot be taken for the whole."""
    size = 20_000_000
    path = tmp_path / "large"
    path.touch()
    with path.open("r+b") as file:
        file.truncate(size)

    def application(environ, start_response):  # type: ignore[no-untyped-def]
        write = start_response("200 OK", [])
        if kind == "written":
            for _ in range(50):
                write(bytes(size // 50))
            return []
        if kind == "file":
            return environ["wsgi.file_wrapper"](path.open("rb"))
        return [bytes(size)] if kind == "one piece" else (bytes(size // 50) for _ in range(50))

    server = serve(application, write_timeout=SHORT)
    with dial(server.port, narrow=True) as client:
        client.sendall(GET)
        eventually(lambda: server.tally["write_timeout"])
        assert len(read_until_reset(client)) < size


@pytest.mark.usefixtures("descriptors")
def test_a_hundred_of_each_at_once_hold_nobody_up(serve: Serve) -> None:
    """A normal client is answered all the time; each of the others gets what it deserves, and is counted."""
    server = serve(app, head_timeout=SHORT, body_timeout=SHORT, write_timeout=SHORT, keep_alive=SHORT)
    with Crowd(server.port, 100 * list(STALLS)) as crowd:
        crowd.run(lambda: replies(exchange(server, GET))[0].status == 200)
        crowd.assert_each_was_dealt_with()
        expected = crowd.counts()
    assert {name: server.tally[name] for name in expected} == expected


def test_with_processes(strategy: str, workers: int, folder: Path) -> None:
    """The same on the command line."""
    options = [f"--{name}-timeout={SHORT}" for name in ("head", "body", "write")]
    arguments = (f"--strategy={strategy}", f"--workers={workers}", f"--keep-alive={SHORT}", *options)
    with running(folder, "tests.hostile.site:app", "--port=0", *arguments) as process:
        port = process.port()

        def normal() -> None:
            with dial(port) as client, client.makefile("rb") as stream:
                client.sendall(GET)
                assert read_reply(stream).status == 200

        with Crowd(port, 10 * list(STALLS)) as crowd:
            crowd.run(normal)
            crowd.assert_each_was_dealt_with()
        process.signal(signal.SIGPWR)
        process.line("head_timeout")
        assert process.stop() == 0

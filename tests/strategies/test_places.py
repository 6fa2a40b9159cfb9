"""What a thread and a process for each connection have in common: a bound, beyond which clients wait in the kernel."""

import fcntl
import os
import socket
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.strategies.applications import GET, Gate, hello, read_reply
from tests.strategies.waiting import eventually
from tests.wire import PATIENCE, connect, exchange, read_all, replies
from wsgiraw import Server

Start = Callable[..., Server]


@pytest.fixture(params=["threaded", "forking"])
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """Start a server with so many places: `start(app, places, **options)`."""
    with ExitStack() as stack:

        def start(application: Any, places: int, **options: object) -> Server:
            bound = {"threads" if request.param == "threaded" else "max_children": places}
            return stack.enter_context(Server(application, port=0, strategy=request.param, **bound, **options))

        yield start


class Counted:
    """`hello`, not before so many are asked for at once; tells how many those were, over all threads and processes."""

    def __init__(self, awaited: int) -> None:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._awaited = awaited

    def __call__(self, environ: Any, start_response: Any) -> Any:
        os.write(self._writer, b"+")
        eventually(lambda: self._signs() >= self._awaited)  # nobody has left before
        os.write(self._writer, b"-")
        return hello(environ, start_response)

    def _signs(self) -> int:
        """Return how many signs are in the pipe."""
        return int.from_bytes(fcntl.ioctl(self._reader, termios.FIONREAD, bytes(4)), sys.byteorder)

    def most(self) -> int:
        """Return how many ran at once at most, since this was asked."""
        running = most = 0
        for sign in os.read(self._reader, 65536).decode():
            running += 1 if sign == "+" else -1
            most = max(most, running)
        assert running == 0
        return most

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)


def test_200_clients_at_once(start: Start) -> None:
    counted = Counted(16)
    server = start(counted, 16)
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in range(200)]
        for number, client in enumerate(clients):
            client.sendall(GET.replace(b"/ ", b"/%d " % number))
        for number, client in enumerate(clients):
            with client.makefile("rb") as stream:
                reply = read_reply(stream)
            assert (reply.status, reply.body) == (200, b"hello /%d" % number)
    assert counted.most() == 16
    counted.close()


def test_an_idle_connection_makes_way_for_who_waits_and_no_other_does(start: Start) -> None:
    server = start(hello, 3, keep_alive=3600)
    with ExitStack() as stack:
        idle = [stack.enter_context(connect(server)) for _ in range(3)]
        streams = [stack.enter_context(client.makefile("rb")) for client in idle]
        for client, stream in zip(idle, streams, strict=True):
            client.sendall(GET)
            assert read_reply(stream).status == 200
        assert replies(exchange(server, GET))[0].status == 200
        left = 0
        for client, stream in zip(idle, streams, strict=True):
            try:
                client.sendall(GET)
                left += read_reply(stream).status == 200
            except (AssertionError, OSError):  # the one that made way
                continue
        assert left == 2


def test_who_never_pauses_makes_way_between_two_requests(start: Start) -> None:
    gate = Gate()
    server = start(gate, 1, linger_timeout=0)
    with connect(server) as first, ExitStack() as stack:
        first.sendall(GET + GET.replace(b"/", b"/wait", 1) * 2 + GET * 500)
        assert gate.entered.wait(PATIENCE)
        second = stack.enter_context(connect(server))
        second.sendall(GET)
        gate.released.set()
        with second.makefile("rb") as others:
            assert read_reply(others).status == 200


def test_the_queued_are_served_at_a_stop_though_all_places_are_taken(start: Start) -> None:
    gate = Gate()
    server = start(gate, 1, graceful_timeout=3600)
    with connect(server) as busy, connect(server) as queued:
        busy.sendall(GET.replace(b"/", b"/wait", 1))
        assert gate.entered.wait(PATIENCE)
        queued.sendall(GET)
        server.shutdown()
        gate.released.set()
        assert [reply.status for reply in replies(read_all(busy))] == [200]
        assert [reply.status for reply in replies(read_all(queued))] == [200]
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))


def test_an_application_that_raises_keyboard_interrupt_loses_its_connection_alone(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    def interrupts(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/now":
            raise KeyboardInterrupt
        return hello(environ, start_response)

    server = start(interrupts, 2)
    with connect(server) as client:
        client.sendall(GET.replace(b"/", b"/now", 1))
        with pytest.raises(ConnectionResetError):
            read_all(client)
    assert replies(exchange(server, GET))[0].status == 200

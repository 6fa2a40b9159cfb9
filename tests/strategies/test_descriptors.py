"""When descriptors run out: accepting pauses instead of spinning, goes on once there is room, and nobody is lost."""

import logging
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.conftest import Serve
from tests.strategies.applications import GET, Gate, children, hello, one_at_a_time, read_reply
from tests.strategies.waiting import eventually
from tests.wire import PATIENCE, connect, exchange, read_all, replies
from wsgiraw import Server

pytestmark = pytest.mark.usefixtures("settled")


@contextmanager
def room_for(count: int) -> Iterator[None]:
    """Let this process open `count` more descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = [os.dup(0) for _ in range(count + 1)]
    for descriptor in free:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(free), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Refusals(logging.Handler):
    """Counts the warnings that nothing is accepted."""

    def __init__(self) -> None:
        super().__init__()
        self._count = threading.Semaphore(0)

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("not accepting"):
            self._count.release()

    def wait(self) -> None:
        assert self._count.acquire(timeout=PATIENCE)


@pytest.fixture
def refusals() -> Iterator[Refusals]:
    handler = Refusals()
    log = logging.getLogger("wsgiraw")
    level = log.level
    log.setLevel(logging.DEBUG)  # after a first warning it is said more quietly
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)
    log.setLevel(level)


def started(server: Server) -> Server:
    """Return the server once its loop has the descriptors that it needs for itself, and no others."""
    assert replies(exchange(server, GET))[0].status == 200
    eventually(lambda: children() == [])
    return server


def dial(client: socket.socket, server: Server) -> None:
    client.settimeout(PATIENCE)
    client.connect(("127.0.0.1", server.port))


def test_accepting_goes_on_when_there_is_room_again(serve: Serve, refusals: Refusals) -> None:
    server = started(serve(hello))
    with socket.socket() as client:
        with room_for(0):
            dial(client, server)
            client.sendall(GET)
            refusals.wait()
        with client.makefile("rb") as stream:
            assert read_reply(stream).status == 200


def test_waiting_for_room_costs_next_to_nothing(serve: Serve, refusals: Refusals) -> None:
    server = started(serve(hello))
    with socket.socket() as client, room_for(0):
        dial(client, server)
        refusals.wait()
        began, used = time.monotonic(), time.process_time()
        refusals.wait()  # half a second later
        took, used = time.monotonic() - began, time.process_time() - used
    assert used < took / 4  # a loop that spins uses all of it


def test_a_connection_that_closes_makes_room_at_once(refusals: Refusals) -> None:
    with Server(hello, port=0, strategy="eventloop") as server, ExitStack() as stack:
        first = stack.enter_context(connect(server))
        stream = stack.enter_context(first.makefile("rb"))
        first.sendall(GET)
        assert read_reply(stream).status == 200
        waiting = [stack.enter_context(socket.socket()) for _ in range(5)]
        with room_for(0):
            for client in waiting:
                dial(client, server)
                client.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            refusals.wait()
            first.shutdown(socket.SHUT_RDWR)  # one descriptor, which all of them use in turn
            for client in waiting:
                assert [reply.status for reply in replies(read_all(client))] == [200]


@pytest.mark.parametrize("room", [0, 1, 2])
def test_stopping_while_descriptors_are_short(serve: Serve, strategy: str, room: int) -> None:
    gate = Gate()
    server = serve(gate, graceful_timeout=3600, **one_at_a_time(strategy))
    with connect(server) as busy, ExitStack() as stack:
        busy.sendall(GET.replace(b"/", b"/wait", 1))
        assert gate.entered.wait(PATIENCE)
        waiting = [stack.enter_context(socket.socket()) for _ in range(3)]
        with room_for(room):
            for client in waiting:
                dial(client, server)
                client.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            server.shutdown()  # after they have knocked: they are in the kernel's queue, if they have not been accepted
            gate.released.set()
            assert [reply.status for reply in replies(read_all(busy))] == [200]
            for client in waiting[:room]:
                assert [reply.status for reply in replies(read_all(client))] == [200]
            server.close()


def test_stopping_while_accepting_is_paused(serve: Serve, refusals: Refusals) -> None:
    server = started(serve(hello, graceful_timeout=3600))
    with socket.socket() as client, room_for(0):
        dial(client, server)
        refusals.wait()
        server.close()


@pytest.mark.usefixtures("here")
def test_a_body_that_finds_no_room_on_disk_gets_507(serve: Serve) -> None:
    server = serve(hello, spool_bytes=10)
    with connect(server) as client, client.makefile("rb") as stream:
        client.sendall(GET)
        assert read_reply(stream).status == 200
        with room_for(0):
            client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n" + bytes(20))
            assert read_reply(stream).status == 507

"""All threads are busy: the loop goes on, complete requests wait, and beyond the bounds they are told to come again."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.strategies.applications import GET, Gate, hello, read_reply
from tests.wire import PATIENCE, Reply, connect, exchange, read_all, replies
from wsgiraw import Server

WAIT = GET.replace(b"/", b"/wait", 1)


@pytest.fixture(params=["handoff", "pooled"])
def strategy(request: pytest.FixtureRequest) -> str:
    """Those that queue requests."""
    return str(request.param)


@contextmanager
def busy(strategy: str, **options: object) -> Iterator[tuple[Server, Gate]]:
    """A server with two threads, both of which are busy."""
    gate = Gate()
    with Server(gate, port=0, strategy=strategy, threads=2, **options) as server, ExitStack() as stack:
        try:
            clients = [stack.enter_context(connect(server)) for _ in range(2)]
            for client in clients:
                gate.entered.clear()
                client.sendall(WAIT)
                assert gate.entered.wait(PATIENCE)
            yield server, gate
        finally:
            gate.released.set()
        for client in clients if server.config.graceful_timeout else ():
            assert read_one(client).body == b"hello /wait"


def read_one(client) -> Reply:  # type: ignore[no-untyped-def]
    with client.makefile("rb") as stream:
        return read_reply(stream)


def refused(octets: bytes, *methods: str) -> Reply:
    (reply,) = replies(octets, *methods)
    assert (reply.status, reply.field("Retry-After"), reply.field("Connection")) == (503, "1", "close")
    return reply


def test_requests_wait_for_a_thread_in_their_order(strategy: str) -> None:
    with busy(strategy) as (server, gate), ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in range(20)]
        for number, client in enumerate(clients):
            client.sendall(GET.replace(b"/", b"/%d" % number, 1))
            settle(server)
        assert gate.paths == ["/wait", "/wait"]
        gate.released.set()
        assert [read_one(client).body for client in clients] == [b"hello /%d" % number for number in range(20)]
        waited = [path for path in gate.paths if path != "/wait"]
        assert sorted(waited, key=lambda path: int(path[1:])) == [f"/{number}" for number in range(20)]


def settle(server: Server) -> None:
    """Return once the loop has seen all that was sent before: it answers this one itself, in order."""
    assert replies(exchange(server, b"?\r\n\r\n"))[0].status == 400


def test_the_loop_goes_on_while_all_threads_are_busy(strategy: str) -> None:
    """It accepts, reads, refuses what is malformed, and answers the health check."""
    with busy(strategy, health_path="/health", head_timeout=0.2) as (server, _):
        settle(server)
        with connect(server) as silent:
            assert read_all(silent) == b""
        with connect(server) as client:
            for _ in range(3):
                client.sendall(GET.replace(b"/", b"/health", 1))
                assert read_one(client).status == 200


def test_what_is_behind_a_health_check_is_not_run_on_the_loop(strategy: str) -> None:
    with busy(strategy, health_path="/health") as (server, gate), connect(server) as client:
        client.sendall(GET.replace(b"/", b"/health", 1) + GET.replace(b"/", b"/behind", 1))
        settle(server)
        assert gate.paths == ["/wait", "/wait"]
        gate.released.set()
        with client.makefile("rb") as stream:
            assert [read_reply(stream).body for _ in range(2)] == [b"ok\n", b"hello /behind"]


@pytest.mark.parametrize("bound", [0, 1, 5])
def test_beyond_the_longest_queue_a_request_is_refused(strategy: str, bound: int) -> None:
    with busy(strategy, max_queue=bound) as (server, gate), ExitStack() as stack:
        queued = [stack.enter_context(connect(server)) for _ in range(bound)]
        for client in queued:
            client.sendall(GET)
            settle(server)
        assert refused(exchange(server, GET)).body == b"the server is busy: try again later\n"
        assert refused(exchange(server, GET.replace(b"GET", b"HEAD")), "HEAD").body == b""
        refused(exchange(server, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"), "POST")
        gate.released.set()
        assert [read_one(client).body for client in queued] == [b"hello /"] * bound


def test_who_waits_for_too_long_is_refused(strategy: str) -> None:
    with busy(strategy, queue_timeout=0.05) as (server, gate):
        with connect(server) as client:
            client.sendall(GET)
            refused(read_all(client))
        assert gate.paths == ["/wait", "/wait"]


def test_a_client_that_leaves_the_queue_costs_nothing(strategy: str) -> None:
    with busy(strategy) as (server, gate):
        for _ in range(50):
            with connect(server) as client:
                client.sendall(GET)
        settle(server)
        gate.released.set()
        assert replies(exchange(server, GET))[0].status == 200


def test_what_is_queued_is_answered_at_a_stop(strategy: str) -> None:
    with busy(strategy) as (server, gate), ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in range(10)]
        for client in clients:
            client.sendall(GET)
        settle(server)
        server.shutdown()
        gate.released.set()
        for client in clients:
            assert [reply.status for reply in replies(read_all(client))] == [200]


def test_what_is_queued_is_dropped_when_the_time_to_stop_is_up(strategy: str) -> None:
    with busy(strategy, graceful_timeout=0) as (server, _), ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in range(10)]
        for client in clients:
            client.sendall(GET)
        settle(server)
        server.shutdown()
        for client in clients:
            with suppress(ConnectionResetError):
                assert read_all(client) == b""


def test_one_thread_is_the_plain_loop() -> None:
    def flags(environ, start_response):  # type: ignore[no-untyped-def]
        assert not environ["wsgi.multithread"]
        return hello(environ, start_response)

    with Server(flags, port=0, strategy="handoff", threads=1) as server:
        assert replies(exchange(server, GET))[0].status == 200

"""More requests than a process is to answer at a time: the next is told to come again, at once and politely."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.hostile.clients import ask, dial, post
from tests.hostile.site import app
from tests.process import running
from tests.strategies.applications import GET, read_reply
from tests.strategies.test_queue import busy, refused, settle
from tests.strategies.waiting import eventually
from tests.wire import connect, exchange, read_all, replies

CREWED = ["handoff", "pooled"]
ENDLESS = ask("/endless")


@contextmanager
def being_answered(port: int, count: int) -> Iterator[list[socket.socket]]:
    """Clients that do not take their responses."""
    with ExitStack() as stack:
        clients = [stack.enter_context(dial(port, narrow=True)) for _ in range(count)]
        for client in clients:
            client.sendall(ENDLESS)
            assert client.recv(1) == b"H"
        yield clients


def test_a_response_that_is_still_taken_counts(serve: Serve) -> None:
    server = serve(app, limit_concurrency=2)
    with being_answered(server.port, 2) as clients:
        assert refused(exchange(server, GET)).body
        assert refused(exchange(server, GET.replace(b"GET", b"HEAD")), "HEAD").body == b""
        refused(exchange(server, post("/", b"abc")), "POST")
        assert server.tally["busy"] == 3
        clients[0].close()
        eventually(lambda: replies(exchange(server, GET))[0].status == 200)


@pytest.mark.parametrize("strategy", CREWED)
def test_what_runs_and_what_waits_counts(strategy: str) -> None:
    with busy(strategy, limit_concurrency=4) as (server, gate), ExitStack() as stack:
        waiting = [stack.enter_context(connect(server)) for _ in range(2)]
        for client in waiting:
            client.sendall(GET)
        settle(server)
        refused(exchange(server, GET))
        assert server.tally["busy"] == 1
        gate.released.set()
        for client in waiting:
            with client.makefile("rb") as stream:
                assert read_reply(stream).status == 200
        eventually(lambda: replies(exchange(server, GET))[0].status == 200)


def test_a_request_that_comes_with_a_proxy_header_counts(serve: Serve) -> None:
    """In one segment, as proxies send it."""
    server = serve(app, limit_concurrency=2, proxy_protocol=True, trusted_proxies="127.0.0.1")
    header = b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"
    with ExitStack() as stack:
        for _ in range(2):
            client = stack.enter_context(dial(server.port, narrow=True))
            client.sendall(header + ENDLESS)
            assert client.recv(1) == b"H"
        refused(exchange(server, header + GET))
        assert server.tally["busy"] == 1


def test_what_is_still_arriving_does_not_count(serve: Serve) -> None:
    server = serve(app, limit_concurrency=2)
    with connect(server) as head, connect(server) as body, body.makefile("rb") as stream:
        head.sendall(GET[:10])
        body.sendall(post("/digest", b"abc")[:-1])
        settle(server)
        for _ in range(3):
            assert replies(exchange(server, GET))[0].status == 200
        body.sendall(b"c")
        assert read_reply(stream).status == 200
    assert server.tally["busy"] == 0


def test_idle_connections_do_not_count(serve: Serve) -> None:
    """One that a thread has just answered may count until the loop has it back."""
    server = serve(app, limit_concurrency=3)
    with ExitStack() as stack:
        for _ in range(10):
            client = stack.enter_context(connect(server))
            for _ in range(2):
                client.sendall(GET)
                with client.makefile("rb") as stream:
                    assert read_reply(stream).status == 200
        assert server.tally["busy"] == 0


def test_pipelined_requests_are_one_at_a_time(serve: Serve) -> None:
    server = serve(app, limit_concurrency=1)
    assert [reply.status for reply in replies(exchange(server, GET * 100))] == [200] * 100
    assert server.tally["busy"] == 0


@pytest.mark.parametrize("how", ["reset", "broken"])
def test_what_ends_badly_does_not_count_for_ever(serve: Serve, how: str) -> None:
    """A place that was taken is given back, however the exchange ends."""

    def application(environ, start_response):  # type: ignore[no-untyped-def]
        if environ["PATH_INFO"] == "/broken":
            start_response("200 OK", [])
            return (1 // (n < 3) * b"x" for n in range(9))
        return app(environ, start_response)

    server = serve(application, limit_concurrency=1)
    for _ in range(5):
        with connect(server) as client:
            if how == "reset":
                client.sendall(ENDLESS)
                assert client.recv(1) == b"H"
            else:
                client.sendall(ask("/broken"))
                with pytest.raises(ConnectionResetError):
                    read_all(client)
        eventually(lambda: replies(exchange(server, GET))[0].status == 200)


@pytest.mark.parametrize("strategy", CREWED)
def test_a_queue_that_is_too_long_or_too_old_is_counted(strategy: str) -> None:
    with busy(strategy, max_queue=1, queue_timeout=0.3) as (server, _), connect(server) as queued:
        queued.sendall(GET)
        settle(server)
        refused(exchange(server, GET))
        refused(read_all(queued))
        assert server.tally["busy"] == 2


@pytest.mark.parametrize("strategy", CREWED)
def test_the_health_check_is_answered_all_the_same(strategy: str) -> None:
    """A balancer that asks is to learn that we live."""
    with busy(strategy, limit_concurrency=2, health_path="/health") as (server, _):
        assert replies(exchange(server, ask("/health")))[0].status == 200
        refused(exchange(server, GET))


def test_without_a_limit_there_is_none(serve: Serve) -> None:
    server = serve(app)
    with being_answered(server.port, 50):
        assert replies(exchange(server, GET))[0].status == 200
    assert server.tally["busy"] == 0


def test_with_a_process(strategy: str, folder: Path) -> None:
    """On the command line. With two workers nobody can say to which of them a client comes."""
    arguments = ("tests.hostile.site:app", "--port=0", f"--strategy={strategy}", "--limit-concurrency=3")
    with running(folder, *arguments) as process:
        port = process.port()
        with being_answered(port, 3):
            for _ in range(3):
                with dial(port) as client:
                    client.sendall(GET)
                    refused(read_all(client))
        assert process.stop() == 0


def test_with_two_processes_each_has_its_own_limit(strategy: str, folder: Path) -> None:
    arguments = ("tests.hostile.site:app", "--port=0", f"--strategy={strategy}", "--limit-concurrency=3", "--workers=2")
    with running(folder, *arguments) as process:
        port = process.port()
        with ExitStack() as stack:
            taken = 0
            while taken < 6:  # until both are busy
                client = stack.enter_context(dial(port, narrow=True))
                client.sendall(ENDLESS)
                taken += client.recv(12).endswith(b" 200")
            for _ in range(6):
                with dial(port) as client:
                    client.sendall(GET)
                    refused(read_all(client))
        assert process.stop() == 0

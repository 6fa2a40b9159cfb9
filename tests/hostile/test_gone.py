"""Clients that leave before their request has begun, or while it runs: nothing is computed for nobody."""

import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.hostile.clients import ask, dial, post, reset
from tests.process import running
from tests.strategies.applications import GET, Gate, Happened, hello, read_reply
from tests.strategies.test_queue import busy, settle
from tests.wire import PATIENCE, connect, exchange, read_all, replies
from wsgiraw import Server

CREWED = ["handoff", "pooled"]


@pytest.mark.parametrize("strategy", CREWED)
@pytest.mark.parametrize("octets", [ask("/gone"), post("/gone", bytes(100)), post("/gone", bytes(10_000))])
def test_a_request_whose_client_has_reset_is_not_run(strategy: str, octets: bytes) -> None:
    """Nor does its body stay, in memory or in a file."""
    with busy(strategy, spool_bytes=1000) as (server, gate), ExitStack() as stack:
        gone = [stack.enter_context(connect(server)) for _ in range(10)]
        for client in gone:
            client.sendall(octets)
        stays = stack.enter_context(connect(server))
        stays.sendall(ask("/stays"))
        settle(server)
        for client in gone:
            reset(client)
        gate.released.set()
        with stays.makefile("rb") as stream:
            assert read_reply(stream).body == b"hello /stays"
        assert replies(exchange(server, GET))[0].status == 200
        assert "/gone" not in gate.paths
        assert server.tally["gone"] == 10


@pytest.mark.parametrize("strategy", CREWED)
def test_a_request_whose_client_has_only_closed_its_sending_side_is_run(strategy: str) -> None:
    """Who has no more to say may still be listening (RFC 9112 §9.6)."""
    with busy(strategy) as (server, gate), ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in range(3)]
        for client in clients:
            client.sendall(ask("/half"))
            client.shutdown(1)
        settle(server)
        gate.released.set()
        for client in clients:
            assert [reply.body for reply in replies(read_all(client))] == [b"hello /half"]
        assert server.tally["gone"] == 0


@pytest.mark.parametrize("strategy", CREWED)
def test_what_is_pipelined_behind_is_not_run_either(strategy: str) -> None:
    with busy(strategy) as (server, gate), connect(server) as client:
        client.sendall(ask("/gone") * 5)
        settle(server)
        reset(client)
        gate.released.set()
        assert replies(exchange(server, GET))[0].status == 200
        assert "/gone" not in gate.paths


def test_behind_a_busy_loop_it_is_not_run_either() -> None:
    """Where there are no threads, a request is read after the one before it."""
    gate = Gate()
    with Server(gate, port=0, strategy="eventloop") as server, connect(server) as client, ExitStack() as stack:
        gone = [stack.enter_context(connect(server)) for _ in range(10)]
        assert replies(exchange(server, GET))[0].status == 200  # so that all have been accepted
        client.sendall(ask("/wait"))
        assert gate.entered.wait(PATIENCE)
        for leaving in gone:
            leaving.sendall(ask("/gone"))
            reset(leaving)
        gate.released.set()
        with client.makefile("rb") as stream:
            assert read_reply(stream).body == b"hello /wait"
        assert replies(exchange(server, GET))[0].status == 200
        assert "/gone" not in gate.paths


class Watching:
    """Asks again and again whether the client is still there, until it is not."""

    def __init__(self) -> None:
        self.asked = Happened()
        self.found = Happened()
        self.never = True

    def __call__(self, environ, start_response) -> Iterable[bytes]:  # type: ignore[no-untyped-def]
        if environ["PATH_INFO"] != "/watch":
            return hello(environ, start_response)
        gone = environ["wsgiraw.client_gone"]
        assert gone() is False
        self.asked.set()
        end = time.monotonic() + PATIENCE
        pause = threading.Event()
        while time.monotonic() < end:
            if gone():
                assert gone() is True
                self.found.set()
                break
            pause.wait(0.002)
        start_response("200 OK", [])
        return [b"for nobody"]


@pytest.mark.parametrize("how", ["closed", "reset"])
@pytest.mark.parametrize("octets", [ask("/watch"), post("/watch", bytes(2_000_000))])
def test_a_long_request_can_tell_that_nobody_waits(serve: Serve, how: str, octets: bytes) -> None:
    watching = Watching()
    server = serve(watching)
    with connect(server) as client:
        client.sendall(octets)
        assert watching.asked.wait(PATIENCE)
        assert not watching.found.wait(0.1)
        client.close() if how == "closed" else reset(client)
        assert watching.found.wait(PATIENCE)
    assert replies(exchange(server, GET))[0].status == 200


def test_octets_of_a_next_request_are_no_sign_of_leaving(serve: Serve) -> None:
    """Asking takes nothing of them away."""
    watching = Watching()
    server = serve(watching)
    with connect(server) as client:
        client.sendall(ask("/watch"))
        assert watching.asked.wait(PATIENCE)
        client.sendall(GET)
        assert not watching.found.wait(0.1)
        reset(client)
        assert watching.found.wait(PATIENCE)


def test_a_client_that_stays_is_never_gone(serve: Serve) -> None:
    def application(environ, start_response):  # type: ignore[no-untyped-def]
        answers = {environ["wsgiraw.client_gone"]() for _ in range(20)}
        start_response("200 OK", [])
        return [repr(answers).encode()]

    server = serve(application)
    with connect(server) as client, client.makefile("rb") as stream:
        client.sendall(GET + post("/", b"abc") + GET)
        for _ in range(3):
            assert read_reply(stream).body == b"{False}"


def test_a_generator_can_ask_too(serve: Serve) -> None:
    asked, found = Happened(), Happened()

    def application(environ, start_response):  # type: ignore[no-untyped-def]
        if environ["PATH_INFO"] != "/watch":
            yield from hello(environ, start_response)
            return
        start_response("200 OK", [])
        yield b"begun"
        end = time.monotonic() + PATIENCE
        asked.set()
        while not environ["wsgiraw.client_gone"]():
            assert time.monotonic() < end
            threading.Event().wait(0.002)
        found.set()

    server = serve(application)
    with connect(server) as client:
        client.sendall(ask("/watch"))
        assert asked.wait(PATIENCE)
        reset(client)
        assert found.wait(PATIENCE)
    assert replies(exchange(server, GET))[0].status == 200


def test_with_processes(strategy: str, workers: int, folder: Path) -> None:
    """The same on the command line."""
    arguments = ("tests.hostile.site:app", "--port=0", f"--strategy={strategy}", f"--workers={workers}")
    with running(folder, *arguments) as process:
        port = process.port()
        for leave in (reset, lambda client: client.close()):
            client = dial(port)
            client.sendall(ask("/wait-for-nobody"))
            assert process.line("waits (False|True)")[1] == "False"
            leave(client)
            process.line("nobody waits")
        with dial(port) as client, client.makefile("rb") as stream:
            client.sendall(GET)
            assert read_reply(stream).status == 200
        assert process.stop() == 0


@pytest.mark.parametrize("strategy", CREWED)
def test_whoever_gets_the_descriptor_of_one_that_has_reset_is_served(strategy: str) -> None:
    """Its end may be reported together with the newcomer, after the thread that answered it has given it back."""
    over = threading.Event()

    def application(environ, start_response):  # type: ignore[no-untyped-def]
        if environ["PATH_INFO"] == "/nap":
            over.wait(0.001)
        return hello(environ, start_response)

    with Server(application, port=0, strategy=strategy) as server:

        def leave() -> None:
            while not over.is_set():
                client = dial(server.port)
                client.sendall(ask("/nap"))
                over.wait(0.001)
                reset(client)

        threads = [threading.Thread(target=leave) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            assert all(replies(exchange(server, GET))[0].status == 200 for _ in range(500))
        finally:
            over.set()
            for thread in threads:
                thread.join()

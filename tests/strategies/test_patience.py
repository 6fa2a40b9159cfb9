"""`request_timeout`: a request that runs for too long is answered with 504, and the log says where it hangs."""

import logging
import random
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.conftest import Serve
from tests.strategies.applications import GET, Happened, hello, read_reply
from tests.strategies.waiting import eventually
from tests.wire import PATIENCE, connect, exchange, read_all, replies
from wsgiraw import Server
from wsgiraw.strategies.stacks import report

SHORT = 0.1
CONCURRENT = ["handoff", "pooled", "threaded"]


class Hanging:
    """Hangs where the path says, until `released`."""

    def __init__(self) -> None:
        self.entered = Happened()
        self.released = Happened()

    def hang_about(self) -> None:
        self.entered.set()
        assert self.released.wait(PATIENCE)

    def __call__(self, environ, start_response) -> Iterable[bytes]:  # type: ignore[no-untyped-def]
        if environ["PATH_INFO"] == "/before":
            self.hang_about()
        if environ["PATH_INFO"] == "/within":
            return self.within(start_response)
        return hello(environ, start_response)

    def within(self, start_response) -> Iterator[bytes]:  # type: ignore[no-untyped-def]
        start_response("200 OK", [])
        yield b"begun"
        self.hang_about()
        yield b"ended"


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    application = Hanging()
    yield application
    application.released.set()


def ask(path: str, method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_before_the_head_it_is_answered_with_504(
    serve: Serve, strategy: str, hanging: Hanging, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(hanging, request_timeout=SHORT)
    (reply,) = replies(exchange(server, ask("/before", method), half_close=False), method)
    assert (reply.status, reply.field("Connection")) == (504, "close")
    assert reply.body == (b"" if method == "HEAD" else b"the application took too long\n")
    hanging.released.set()
    if strategy != "forking":  # the child's log is its own
        eventually(lambda: caplog.records)
        (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
        text = record.getMessage()
        assert text.startswith(f"{method} /before of 127.0.0.1 has run for 0.")
        assert "answered with 504; where it is:" in text
        assert "in hang_about" in text


def test_after_the_head_it_is_cut_off(serve: Serve, hanging: Hanging) -> None:
    server = serve(hanging, request_timeout=SHORT)
    octets = exchange(server, ask("/within"), half_close=False)
    assert b"begun" in octets
    assert not octets.endswith(b"0\r\n\r\n")
    hanging.released.set()
    assert b"ended" not in octets


@pytest.mark.parametrize("strategy", CONCURRENT)
def test_others_are_served_meanwhile_and_afterwards(strategy: str, hanging: Hanging) -> None:
    with (
        Server(hanging, port=0, strategy=strategy, threads=3, request_timeout=SHORT) as server,
        connect(server) as client,
        client.makefile("rb") as stream,
    ):
        assert replies(exchange(server, ask("/before"), half_close=False))[0].status == 504
        for _ in range(20):
            client.sendall(GET)
            assert read_reply(stream).status == 200
        hanging.released.set()
        for _ in range(20):
            client.sendall(GET)
            assert read_reply(stream).status == 200


@pytest.mark.parametrize("strategy", ["handoff", "pooled"])
def test_a_stop_does_not_wait_for_what_has_been_given_up(strategy: str, hanging: Hanging) -> None:
    with Server(hanging, port=0, strategy=strategy, request_timeout=SHORT, graceful_timeout=PATIENCE) as server:
        assert replies(exchange(server, ask("/before"), half_close=False))[0].status == 504
        server.shutdown()
        ended = threading.Thread(target=server.close)
        ended.start()
        ended.join(PATIENCE / 2)
        assert not ended.is_alive()


def test_quick_requests_are_left_alone(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = serve(hello, request_timeout=SHORT, keep_alive=PATIENCE)
    with connect(server) as client, client.makefile("rb") as stream:
        for _ in range(3):
            client.sendall(GET)
            assert read_reply(stream).status == 200
            threading.Event().wait(SHORT)
    assert caplog.records == []


@pytest.mark.parametrize("strategy", CONCURRENT)
def test_a_client_that_takes_its_time_is_no_slow_application(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """However the application gives its response: three clients at the same time."""
    pieces = [bytes(1_000_000)] * 20

    def big(environ, start_response):  # type: ignore[no-untyped-def]
        kind = environ["PATH_INFO"]
        write = start_response("200 OK", [])
        if kind == "/write":
            for piece in pieces:
                write(piece)
        return {"/list": [b"".join(pieces)], "/generator": (piece for piece in pieces), "/write": []}[kind]

    server = serve(big, request_timeout=10 * SHORT)
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in range(3)]
        for client, kind in zip(clients, (b"/list", b"/generator", b"/write"), strict=True):
            client.sendall(GET.replace(b"/", kind, 1).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        for client in clients:
            assert client.recv(1) == b"H"
        threading.Event().wait(15 * SHORT)
        for client in clients:
            assert len(read_all(client)) > 20_000_000
    assert caplog.records == []


@pytest.mark.parametrize("strategy", CONCURRENT)
def test_whoever_answers_there_is_one_answer(strategy: str) -> None:
    """The time is up just when the application returns."""

    def close_call(environ, start_response):  # type: ignore[no-untyped-def]
        threading.Event().wait(SHORT + random.Random(environ["PATH_INFO"]).uniform(-0.002, 0.005))
        return hello(environ, start_response)

    def ask_once(number: int) -> int:
        octets = exchange(server, ask(f"/{number}").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        (reply,) = replies(octets)
        return reply.status

    with (
        Server(close_call, port=0, strategy=strategy, threads=16, request_timeout=SHORT) as server,
        ThreadPoolExecutor(16) as pool,
    ):
        assert set(pool.map(ask_once, range(320))) == {200, 504}


def test_each_is_logged_once(tmp_path, hanging: Hanging) -> None:  # type: ignore[no-untyped-def]
    log = tmp_path / "access.log"
    with Server(hanging, port=0, strategy="handoff", request_timeout=SHORT, access_logfile=str(log)) as server:
        assert replies(exchange(server, ask("/before"), half_close=False))[0].status == 504
        hanging.released.set()
        assert replies(exchange(server, GET))[0].status == 200
    assert [line.split()[-4] for line in log.read_text().splitlines()] == ["504", "200"]


def test_what_runs_can_be_shown_at_any_time(hanging: Hanging) -> None:
    with Server(hanging, port=0, strategy="handoff") as server, connect(server) as client:
        client.sendall(ask("/before"))
        assert hanging.entered.wait(PATIENCE)
        eventually(lambda: report().count("no request") >= 2)
        shown = report()
        assert "Thread wsgiraw-" in shown
        assert "GET /before of 127.0.0.1 for 0." in shown
        assert "in hang_about" in shown
        hanging.released.set()

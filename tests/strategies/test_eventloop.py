"""Many clients on one thread: whatever one of them does or does not do, the others get their answers."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.strategies.applications import GET, Gate, Pieces, hello, read_reply
from tests.wire import PATIENCE, connect, exchange, read_all, replies
from wsgiraw import Server

STALLS = {
    "before a word": b"",
    "in a head": b"GET / HTTP/1.1\r\nHo",
    "in a body": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345",
    "in a chunk-size line": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nff",
    "in a response": b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n",
    "after a response": GET,
    "after a refusal": b"\r\n\r\n",
}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Pieces(), port=0, strategy="eventloop", graceful_timeout=0) as started:
        yield started


@pytest.mark.parametrize("stall", STALLS)
def test_clients_that_stall_hold_up_nobody(server: Server, stall: str) -> None:
    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(connect(server)).sendall(STALLS[stall])
        with connect(server) as client, client.makefile("rb") as stream:
            for _ in range(20):
                client.sendall(GET)
                assert read_reply(stream).status == 200


def test_one_client_that_sends_thousands_of_requests_at_once_has_to_share() -> None:
    """Their octets are all here; another's single request is answered long before they are through."""
    gate = Gate()
    with Server(gate, port=0, strategy="eventloop") as server, connect(server) as greedy, connect(server) as modest:
        greedy.sendall(GET.replace(b"/", b"/wait", 1) + GET.replace(b"/", b"/greedy", 1) * 1000)
        assert gate.entered.wait(PATIENCE)
        modest.sendall(GET.replace(b"/", b"/modest", 1))
        gate.released.set()
        with modest.makefile("rb") as stream:
            assert read_reply(stream).body == b"hello /modest"
        with greedy.makefile("rb") as stream:
            assert read_reply(stream).body == b"hello /wait"
            for _ in range(1000):
                assert read_reply(stream).body == b"hello /greedy"
    assert gate.paths.index("/modest") < 200


def test_a_client_that_never_stops_sending_has_to_share(server: Server) -> None:
    with connect(server) as flood, connect(server) as client, client.makefile("rb") as stream:
        flood.setblocking(False)
        for _ in range(50):
            try:
                while True:
                    flood.send(GET * 100)  # it does not read the responses either
            except BlockingIOError:
                pass
            client.sendall(GET)
            assert read_reply(stream).status == 200


def test_an_endless_response_to_a_quick_reader_has_to_share(server: Server) -> None:
    with connect(server) as quick, connect(server) as client, client.makefile("rb") as stream:
        quick.sendall(STALLS["in a response"])
        for _ in range(50):
            assert quick.recv(1_000_000)
            client.sendall(GET)
            assert read_reply(stream).status == 200


def test_pipelined_responses_of_every_kind_keep_their_order(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"file" * 100_000)

    def application(environ, start_response):  # type: ignore[no-untyped-def]
        kind = environ["PATH_INFO"]
        if kind == "/late":
            raise LookupError
        write = start_response("200 OK", [])
        if kind == "/file":
            return environ["wsgi.file_wrapper"](path.open("rb"))
        if kind == "/big":
            return [b"big" * 1_000_000]
        if kind == "/generator":
            return (piece * 1000 for piece in (b"a", b"", b"b"))
        if kind == "/write":
            write(b"w" * 1000)
            return [b"x"]
        return [b"list"]

    bodies = {
        "/list": b"list",
        "/file": b"file" * 100_000,
        "/big": b"big" * 1_000_000,
        "/generator": b"a" * 1000 + b"b" * 1000,
        "/write": b"w" * 1000 + b"x",
        "/late": b"The application failed; its error log says why.\n",
    }
    kinds = [first for kind in bodies for first in (kind, "/list", kind)] * 2 + [*reversed(bodies)]
    octets = b"".join(GET.replace(b"/", kind.encode(), 1) for kind in kinds)
    with (
        Server(application, port=0, strategy="eventloop") as server,
        connect(server) as client,
        client.makefile("rb") as stream,
    ):
        client.sendall(octets)
        for kind in kinds:
            assert read_reply(stream).body == bodies[kind], kind


def test_a_long_pipeline_to_a_client_that_reads_late() -> None:
    """More complete responses than the socket takes: they wait, and so does reading."""

    def application(environ, start_response):  # type: ignore[no-untyped-def]
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode() * 5000]

    count = 1000
    paths = [b"/%d" % number for number in range(count)]
    with Server(application, port=0, strategy="eventloop") as server, connect(server) as client:
        client.sendall(b"".join(GET.replace(b"/", path, 1) for path in paths))
        with connect(server) as other, other.makefile("rb") as others:
            other.sendall(GET)
            assert read_reply(others).status == 200
        with client.makefile("rb") as stream:
            for path in paths:
                assert read_reply(stream).body == path * 5000


def test_a_refusal_comes_behind_the_responses_before_it() -> None:
    with Server(hello, port=0, strategy="eventloop") as server, connect(server) as client:
        client.sendall(GET * 3 + b"BAD\r\n\r\n" + GET)
        assert [reply.status for reply in replies(read_all(client))] == [200, 200, 200, 400]


def test_a_refusal_waits_for_room_too() -> None:
    def application(environ, start_response):  # type: ignore[no-untyped-def]
        start_response("200 OK", [])
        return [bytes(100_000)]

    with Server(application, port=0, strategy="eventloop") as server, connect(server) as client:
        client.sendall(GET * 200 + b"BAD\r\n\r\n")
        assert [reply.status for reply in replies(read_all(client))] == [200] * 200 + [400]


def test_100_continue_comes_behind_the_responses_before_it() -> None:
    with Server(hello, port=0, strategy="eventloop") as server, connect(server) as client:
        client.sendall(GET * 2 + b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        with client.makefile("rb") as stream:
            assert [read_reply(stream).status for _ in range(3)] == [200, 200, 100]
            client.sendall(b"x")
            assert read_reply(stream).status == 200


def test_it_serves_many_at_a_time() -> None:
    with Server(hello, port=0, strategy="eventloop") as server, ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in range(200)]
        for number, client in enumerate(clients):
            client.sendall(GET.replace(b"/", b"/%d" % number, 1))
        for number, client in reversed(list(enumerate(clients))):
            with client.makefile("rb") as stream:
                assert read_reply(stream).body == b"hello /%d" % number


def test_an_http_1_0_client_that_keeps_alive() -> None:
    with Server(hello, port=0, strategy="eventloop") as server:
        first, second = replies(
            exchange(server, b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n")
        )
    assert (first.field("Connection"), second.field("Connection")) == ("keep-alive", "close")

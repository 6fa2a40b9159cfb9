"""Stopping: what is in flight is finished within graceful_timeout, what is queued is answered, all else ends."""

import logging
import socket
import threading
from contextlib import ExitStack, suppress
from typing import BinaryIO

import pytest

from tests.conftest import Serve
from tests.strategies.applications import GET, Gate, Pieces, hello, read_reply
from tests.wire import connect, exchange, read_all, replies
from wsgiraw import Server

FOR_EVER = 3600
WAIT = GET.replace(b"/", b"/wait", 1)
POST = b"POST /post HTTP/1.1\r\nHost: a\r\n"


def shutdown(server: Server, strategy: str) -> None:
    """Ask to stop, and return once that has been noticed."""
    with ExitStack() as stack:
        idle = None if strategy == "serial" else stack.enter_context(connect(server))
        server.shutdown()
        if idle is not None:
            assert read_all(idle) == b""


def assert_cut_off(stream: BinaryIO) -> None:
    """The connection ends, and the unfinished request is not answered."""
    with suppress(ConnectionResetError):
        assert stream.read() == b""


def test_idle_connections_hold_nobody_up(serve: Serve) -> None:
    patience = {"keep_alive": FOR_EVER, "head_timeout": FOR_EVER, "linger_timeout": FOR_EVER}
    server = serve(hello, graceful_timeout=FOR_EVER, **patience)
    with connect(server) as used, used.makefile("rb") as stream, connect(server) as fresh:
        used.sendall(GET)
        assert read_reply(stream).status == 200
        port = server.port
        server.close()
        assert stream.read() == b""
        assert read_all(fresh) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


def test_the_request_in_flight_is_finished(serve: Serve) -> None:
    gate = Gate()
    server = serve(gate, graceful_timeout=FOR_EVER)
    with connect(server) as client:
        client.sendall(WAIT)
        assert gate.entered.wait(20)
        server.shutdown()
        gate.released.set()
        (reply,) = replies(read_all(client))
    assert (reply.status, reply.body) == (200, b"hello /wait")


@pytest.mark.parametrize("rest", [b"Content-Length: 3\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"])
@pytest.mark.parametrize("place", ["in the head", "in the body"])
def test_a_request_that_is_still_arriving_is_finished(serve: Serve, strategy: str, rest: bytes, place: str) -> None:
    server = serve(hello, graceful_timeout=FOR_EVER)
    cut = 3 if place == "in the head" else -2
    with connect(server) as client, client.makefile("rb") as stream:
        client.sendall(GET + POST + rest[:cut])
        assert read_reply(stream).status == 200  # the octets behind it have been read too
        shutdown(server, strategy)
        client.sendall(rest[cut:])
        (reply,) = replies(stream.read(), "POST")
        assert (reply.status, reply.body, reply.field("Connection")) == (200, b"hello /post", "close")
        client.close()  # a lingering close would wait for it
    server.close()


def test_a_response_on_its_way_is_finished(serve: Serve, strategy: str) -> None:
    body = bytes(20_000_000)

    def big(environ, start_response):  # type: ignore[no-untyped-def]
        start_response("200 OK", [])
        return [body]

    server = serve(big, graceful_timeout=FOR_EVER)
    with connect(server) as client, client.makefile("rb") as stream:
        client.sendall(GET)
        start = stream.read(1)
        shutdown(server, strategy)
        (reply,) = replies(start + stream.read())
    assert reply.body == body


def test_requests_that_the_kernel_has_queued_are_answered(serve: Serve) -> None:
    gate = Gate()
    server = serve(gate, graceful_timeout=FOR_EVER)
    with ExitStack() as stack:
        first = stack.enter_context(connect(server))
        first.sendall(WAIT)
        assert gate.entered.wait(20)
        queued = [stack.enter_context(connect(server)) for _ in range(100)]  # more than are accepted in one turn
        for number, client in enumerate(queued):
            client.sendall(GET.replace(b"/", b"/%d" % number, 1))
        server.shutdown()
        gate.released.set()
        assert [reply.status for reply in replies(read_all(first))] == [200]
        for number, client in enumerate(queued):
            (reply,) = replies(read_all(client))
            assert (reply.status, reply.body) == (200, b"hello /%d" % number)
            client.close()


@pytest.mark.parametrize("octets", [GET + POST, GET + POST + b"Content-Length: 5\r\n\r\n123"], ids=["head", "body"])
def test_who_does_not_finish_in_time_is_cut_off(serve: Serve, octets: bytes) -> None:
    patience = {"head_timeout": FOR_EVER, "body_timeout": FOR_EVER, "linger_timeout": FOR_EVER}
    server = serve(hello, graceful_timeout=0.2, **patience)
    with connect(server) as client, client.makefile("rb") as stream:
        client.sendall(octets)
        assert read_reply(stream).status == 200
        server.close()
        assert_cut_off(stream)


def test_who_does_not_read_in_time_is_cut_off(serve: Serve) -> None:
    pieces = Pieces()
    server = serve(pieces, graceful_timeout=0.2, write_timeout=FOR_EVER)
    with connect(server) as client:
        client.sendall(b"GET /endless HTTP/1.0\r\n\r\n")
        assert client.recv(1) == b"H"
        server.close()
        assert pieces.closings == 1
        with pytest.raises(ConnectionResetError):  # the body ends with the connection: it must not look whole
            read_all(client)


@pytest.mark.parametrize(
    "octets", [GET + POST + b"Content-Length: 5\r\n\r\n123", b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n"]
)
def test_asked_twice_it_drops_what_is_in_flight(serve: Serve, strategy: str, octets: bytes) -> None:
    patience = {"body_timeout": FOR_EVER, "write_timeout": FOR_EVER, "linger_timeout": FOR_EVER}
    server = serve(Pieces(), graceful_timeout=FOR_EVER, **patience)
    with connect(server) as client, client.makefile("rb") as stream:
        client.sendall(octets)
        assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
        shutdown(server, strategy)
        server.shutdown()
        server.close()


def test_lingering_ends_with_graceful_timeout(serve: Serve) -> None:
    server = serve(hello, graceful_timeout=0.2, linger_timeout=FOR_EVER)
    with connect(server) as client:
        client.sendall(b"GET / HTTP/9.9\r\n\r\n")
        assert [reply.status for reply in replies(read_all(client))] == [505]
        server.close()


def test_without_graceful_timeout_nothing_is_waited_for(serve: Serve) -> None:
    server = serve(hello, graceful_timeout=0)
    with connect(server) as client, client.makefile("rb") as stream:
        client.sendall(GET + POST)
        assert read_reply(stream).status == 200
        server.close()
        assert_cut_off(stream)


def test_a_request_before_the_stop_is_answered_on_an_idle_connection(serve: Serve, strategy: str) -> None:
    """The client sent it while we were busy with another's: it has arrived, so it is answered."""
    if strategy == "serial":
        pytest.skip("an idle connection makes way for the next client")
    gate = Gate()
    server = serve(gate, graceful_timeout=FOR_EVER)
    with connect(server) as idle, idle.makefile("rb") as stream:
        idle.sendall(GET)
        assert read_reply(stream).status == 200
        with connect(server) as busy:
            busy.sendall(WAIT)
            assert gate.entered.wait(20)
            idle.sendall(GET)
            server.shutdown()
            gate.released.set()
            assert [reply.status for reply in replies(read_all(busy))] == [200]
        assert [reply.status for reply in replies(stream.read())] == [200]


@pytest.mark.parametrize("strategy", ["handoff", "eventloop"])
def test_a_request_before_the_stop_is_answered_although_its_time_is_up(strategy: str) -> None:
    """The loop was held up meanwhile: keep_alive is over, but the request has arrived."""
    gate = Gate()
    options = {"keep_alive": 0.1, "handoff_after": 3600, "graceful_timeout": FOR_EVER}
    with (
        Server(gate, port=0, strategy=strategy, **options) as server,
        connect(server) as idle,
        connect(server) as busy,
        idle.makefile("rb") as stream,
    ):
        idle.sendall(GET)
        assert read_reply(stream).status == 200
        busy.sendall(WAIT)
        assert gate.entered.wait(20)
        idle.sendall(GET)
        threading.Event().wait(0.2)
        server.shutdown()
        gate.released.set()
        assert read_reply(stream).status == 200
        assert [reply.status for reply in replies(read_all(busy))] == [200]


def test_nothing_of_this_is_an_error(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = serve(hello)
    assert replies(exchange(server, GET))[0].status == 200
    server.close()
    server.close()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []

"""One connection at a time, and what that means for those who wait."""

import socket
from contextlib import ExitStack

import pytest

from tests.strategies.applications import GET, Gate, hello, read_reply
from tests.wire import PATIENCE, connect, exchange, read_all, replies
from wsgiraw import Server


def test_an_idle_connection_makes_way() -> None:
    """Neither its keep-alive time nor a lingering close holds up the next client."""
    with (
        Server(hello, port=0, strategy="serial", keep_alive=3600, linger_timeout=3600) as server,
        connect(server) as idle,
        idle.makefile("rb") as stream,
    ):
        idle.sendall(GET)
        assert read_reply(stream).status == 200
        (reply,) = replies(exchange(server, GET))
        assert reply.status == 200
        assert stream.read() == b""


def test_it_does_not_make_way_in_the_middle_of_a_request() -> None:
    with (
        Server(hello, port=0, strategy="serial") as server,
        connect(server) as first,
        first.makefile("rb") as stream,
        connect(server) as second,
    ):
        first.sendall(GET + GET[:5])
        assert read_reply(stream).status == 200
        second.sendall(GET)
        first.sendall(GET[5:])
        assert read_reply(stream).status == 200
        first.close()
        stream.close()
        with second.makefile("rb") as others:
            assert read_reply(others).status == 200


def test_who_never_pauses_makes_way_between_two_requests() -> None:
    gate = Gate()
    with Server(gate, port=0, strategy="serial") as server, connect(server) as first, ExitStack() as stack:
        first.sendall(GET + GET.replace(b"/", b"/wait", 1) + GET * 5)
        assert gate.entered.wait(PATIENCE)
        second = stack.enter_context(connect(server))
        second.sendall(GET)
        gate.released.set()
        answered = replies(read_all(first))
        assert [reply.field("Connection") for reply in answered] == [None, None, "close"]
        first.close()
        with second.makefile("rb") as others:
            assert read_reply(others).status == 200


def test_it_serves_each_of_its_listeners() -> None:
    with Server(hello, bind=["127.0.0.1:0", "127.0.0.1:0"], strategy="serial") as server:
        for listener in server.listeners:
            with socket.create_connection(("127.0.0.1", listener.port)) as client, client.makefile("rb") as stream:
                client.sendall(GET)
                assert read_reply(stream).status == 200


@pytest.mark.parametrize("size", [10, 5_000_000])
def test_write(size: int) -> None:
    """What `write()` sends goes out before the application returns, here to a client that reads it late."""

    def writer(environ, start_response):  # type: ignore[no-untyped-def]
        write = start_response("200 OK", [])
        for _ in range(4):
            write(bytes(size))
        return [b"end"]

    with Server(writer, port=0, strategy="serial") as server:
        (reply,) = replies(exchange(server, GET))
    assert reply.body == bytes(4 * size) + b"end"

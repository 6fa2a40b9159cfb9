"""Lingering close (RFC 9112 §9.6): the client gets to read our last word, and cannot hold us up with it."""

import select
import socket
import struct

import pytest

from tests.conftest import Serve
from tests.strategies.applications import GET, hello, read_reply
from tests.wire import connect, read_all, replies

BAD = b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
FOR_EVER = 3600


def send_until_refused(client: socket.socket) -> None:
    """Send octets now and then until the server's side is gone."""
    for _ in range(1000):
        select.select([], [], [], 0.01)
        try:
            client.sendall(b"x")
        except OSError:
            return
    pytest.fail("the server still takes octets")


def test_a_client_that_is_still_sending_gets_the_whole_refusal(serve: Serve) -> None:
    server = serve(hello, max_body_bytes=1000, linger_timeout=FOR_EVER)
    with connect(server) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n")
        client.sendall(bytes(5_000_000))
        (reply,) = replies(read_all(client), "POST")
    assert (reply.status, reply.body) == (413, b"request body is too large\n")


def test_who_never_closes_is_dropped_after_linger_timeout(serve: Serve) -> None:
    with connect(serve(hello, linger_timeout=0.2)) as client:
        client.sendall(BAD)
        (reply,) = replies(read_all(client))
        assert reply.status == 400
        send_until_refused(client)


def test_sending_on_does_not_prolong_it(serve: Serve) -> None:
    with connect(serve(hello, linger_timeout=0.3)) as client:
        client.sendall(BAD)
        send_until_refused(client)


def test_without_linger_timeout_the_connection_is_closed_at_once(serve: Serve) -> None:
    with connect(serve(hello, linger_timeout=0)) as client:
        client.sendall(BAD)
        assert [reply.status for reply in replies(read_all(client))] == [400]
        send_until_refused(client)


def test_a_client_that_resets_the_connection_meanwhile_is_forgotten(serve: Serve) -> None:
    server = serve(hello, linger_timeout=FOR_EVER, graceful_timeout=FOR_EVER)
    client = connect(server)
    client.sendall(BAD)
    assert [reply.status for reply in replies(read_all(client))] == [400]
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    server.close()


def test_a_client_that_has_said_its_last_word_is_not_waited_for(serve: Serve) -> None:
    server = serve(hello, linger_timeout=FOR_EVER, graceful_timeout=FOR_EVER)
    with connect(server) as client:
        client.sendall(GET)
        client.shutdown(socket.SHUT_WR)
        assert [reply.status for reply in replies(read_all(client))] == [200]
        server.close()


def test_a_client_that_asked_for_the_end_is_not_waited_for(serve: Serve) -> None:
    server = serve(hello, linger_timeout=FOR_EVER, graceful_timeout=FOR_EVER)
    with connect(server) as client:
        client.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert [reply.status for reply in replies(read_all(client))] == [200]
        server.close()


def test_octets_behind_the_last_request_do_not_destroy_its_response(serve: Serve) -> None:
    body = bytes(3_000_000)

    def big(environ, start_response):  # type: ignore[no-untyped-def]
        start_response("200 OK", [])
        return [body]

    with connect(serve(big)) as client:
        client.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + bytes(200_000))
        (reply,) = replies(read_all(client))
    assert reply.body == body


def test_others_are_served_while_the_loop_lingers(serve: Serve, strategy: str) -> None:
    if strategy == "serial":
        pytest.skip("serves one at a time")
    server = serve(hello, linger_timeout=FOR_EVER, graceful_timeout=0)
    with connect(server) as rude, connect(server) as client, client.makefile("rb") as stream:
        rude.sendall(BAD)
        assert [reply.status for reply in replies(read_all(rude))] == [400]
        rude.sendall(b"more")
        client.sendall(GET)
        assert read_reply(stream).status == 200
        rude.sendall(b"and more")

"""Clients that leave, in each phase, orderly and by a reset: nobody else notices, and nothing of them stays."""

import logging
import socket
import struct

import pytest

from tests.conftest import Serve
from tests.strategies.applications import GET, Gate, Pieces, hello, read_reply
from tests.wire import connect, exchange, read_all, replies
from wsgiraw import Server

PHASES = {
    "before a word": b"",
    "in a head": b"GET / HTTP/1.1\r\nHo",
    "in a body": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345",
    "in a spooled body": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n" + bytes(2000),
    "in a chunk": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n12345",
    "waiting for 100": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
    "after a request": GET,
    "in the second head": GET + GET[:9],
    "while we linger": b"\x16\x03\x01",
}


def leave(client: socket.socket, how: str) -> None:
    if how == "reset":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def assert_serves(server: Server) -> None:
    (reply,) = replies(exchange(server, GET))
    assert reply.status == 200


@pytest.mark.parametrize("how", ["orderly", "reset"])
@pytest.mark.parametrize("phase", PHASES)
def test_leaving(serve: Serve, phase: str, how: str, caplog: pytest.LogCaptureFixture) -> None:
    server = serve(hello, spool_bytes=1000, graceful_timeout=3600)
    for _ in range(3):
        client = connect(server)
        client.sendall(PHASES[phase])
        leave(client, how)
    assert_serves(server)
    server.close()  # nothing is in flight any more, or this would take an hour
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("how", ["orderly", "reset"])
def test_leaving_in_the_middle_of_a_response(serve: Serve, how: str, caplog: pytest.LogCaptureFixture) -> None:
    pieces = Pieces()
    server = serve(pieces, graceful_timeout=3600)
    client = connect(server)
    client.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    leave(client, how)
    assert pieces.closed.wait(20)
    assert_serves(server)
    assert pieces.closings == 1
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_leaving_while_the_application_runs(serve: Serve) -> None:
    gate = Gate()
    server = serve(gate, graceful_timeout=3600)
    client = connect(server)
    client.sendall(GET.replace(b"/", b"/wait", 1) + GET)
    assert gate.entered.wait(20)
    leave(client, "reset")
    gate.released.set()
    assert_serves(server)


def test_leaving_before_write(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    written = []

    def writer(environ, start_response):  # type: ignore[no-untyped-def]
        if environ["PATH_INFO"] != "/wait":
            return hello(environ, start_response)
        write = start_response("200 OK", [])
        gate(environ, lambda *_: None)
        for _ in range(1000):
            write(bytes(100_000))
            written.append(1)
        return []

    server = serve(writer, graceful_timeout=3600)
    client = connect(server)
    client.sendall(GET.replace(b"/", b"/wait", 1))
    assert gate.entered.wait(20)
    leave(client, "reset")
    gate.released.set()
    assert_serves(server)
    assert len(written) < 1000
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_half_closed_client_is_answered_to_the_end(serve: Serve) -> None:
    body = bytes(range(256)) * 20_000

    def big(environ, start_response):  # type: ignore[no-untyped-def]
        start_response("200 OK", [])
        return (body[at : at + 100_000] for at in range(0, len(body), 100_000))

    first, second = replies(exchange(serve(big), GET + GET))
    assert first.body == second.body == body


@pytest.mark.parametrize("phase", ["in a head", "in a body", "in a chunk"])
def test_a_client_that_half_closes_too_early_is_told(serve: Serve, phase: str) -> None:
    (reply,) = replies(exchange(serve(hello), PHASES[phase]))
    assert (reply.status, reply.field("Connection")) == (400, "close")


@pytest.mark.usefixtures("here")
def test_an_application_that_breaks_off_makes_itself_felt(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """HTTP/1.0 ends a body with the connection: only a reset shows that something is missing."""

    def broken(environ, start_response):  # type: ignore[no-untyped-def]
        start_response("200 OK", [])
        yield b"a beginning"
        raise LookupError("no end")

    with connect(serve(broken)) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            read_all(client)
    assert "no end" in caplog.text


def test_a_file_that_shrinks_while_it_is_sent_breaks_off(serve: Serve, tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(200_000_000)

    def shrinking(environ, start_response):  # type: ignore[no-untyped-def]
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](path.open("rb"))

    with connect(serve(shrinking)) as client, client.makefile("rb") as stream:
        client.sendall(GET)
        assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
        with path.open("r+b") as file:
            file.truncate(0)
        with pytest.raises(ConnectionResetError):
            stream.read()


def test_two_responses_on_one_connection(serve: Serve) -> None:
    with connect(serve(hello)) as client, client.makefile("rb") as stream:
        for path in (b"/1", b"/2"):
            client.sendall(GET.replace(b"/", path, 1))
            assert read_reply(stream).body == b"hello " + path

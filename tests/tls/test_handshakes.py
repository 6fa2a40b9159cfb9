"""Handshakes: whoever does not finish one holds up nobody and is let go; whoever speaks something else is told."""

import random
import re
import select
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

import pytest

from tests.conftest import Serve
from tests.strategies.applications import GET, hello, read_reply
from tests.strategies.waiting import eventually
from tests.tls.clients import Trust, hello_of_client
from tests.tls.conftest import Secure
from tests.wire import connect, exchange, read_all, replies
from tests.wsgi.applications import asked
from wsgiraw import Server

FOR_EVER = 3600
SHORT = 0.3
MANY = 200
LOOPS = ["handoff", "eventloop", "pooled"]

STALLS: dict[str, Callable[[bytes], bytes]] = {
    "silent": lambda octets: b"",
    "one octet": lambda octets: octets[:1],
    "half a ClientHello": lambda octets: octets[: len(octets) // 2],
    "a whole ClientHello": lambda octets: octets,
}


def served(server: Server, trust: Trust) -> bool:
    (reply,) = replies(trust.exchange(server, asked("GET", "/", "Connection: close")))
    return reply.status == 200


def read_to_the_end(client: socket.socket) -> bytes:
    """Return what comes until the connection ends, in whichever way."""
    octets = b""
    with suppress(ConnectionResetError):
        while data := client.recv(65536):
            octets += data
    return octets


@pytest.mark.parametrize("strategy", LOOPS)
@pytest.mark.parametrize("stall", STALLS)
def test_many_that_stall_hold_up_nobody(secure: Secure, trust: Trust, stall: str) -> None:
    server = secure(hello, handshake_timeout=FOR_EVER, graceful_timeout=0)
    octets = STALLS[stall](hello_of_client(trust.context()))
    with ExitStack() as stack, trust.connect(server) as client, client.makefile("rb") as stream:
        for _ in range(MANY):
            stack.enter_context(connect(server)).sendall(octets)
        for _ in range(10):
            client.sendall(GET)
            assert read_reply(stream).status == 200
        assert served(server, trust)
        assert server.tally["handshake_timeout"] == 0


@pytest.mark.parametrize("strategy", LOOPS)
def test_many_that_drip_hold_up_nobody(secure: Secure, trust: Trust) -> None:
    """An octet each, in turn, while others are served in between."""
    server = secure(hello, handshake_timeout=FOR_EVER, graceful_timeout=0)
    octets = hello_of_client(trust.context())
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in range(50)]
        for at in range(30):
            for client in clients:
                client.sendall(octets[at : at + 1])
            if at % 10 == 0:
                assert served(server, trust)
        for client in clients:
            client.sendall(octets[30:])
            assert client.recv(1) == b"\x16"  # it was a good ClientHello all the same


@pytest.mark.parametrize("stall", STALLS)
def test_handshake_timeout(secure: Secure, trust: Trust, strategy: str, stall: str) -> None:
    server = secure(hello, handshake_timeout=SHORT, head_timeout=FOR_EVER)
    with connect(server) as client:
        client.sendall(STALLS[stall](hello_of_client(trust.context())))
        octets = read_to_the_end(client)
        assert octets[:1] == (b"\x16" if stall == "a whole ClientHello" else b"")
    if strategy != "forking":  # the child counts for itself
        eventually(lambda: server.tally["handshake_timeout"] == 1)
    assert served(server, trust)


def test_dripping_does_not_prolong_it(secure: Secure, trust: Trust) -> None:
    octets = hello_of_client(trust.context())
    with connect(secure(hello, handshake_timeout=SHORT, head_timeout=FOR_EVER)) as client:
        for octet in octets[:-1]:
            if select.select([client], [], [], SHORT / 10)[0]:
                break
            client.sendall(bytes([octet]))
        else:
            pytest.fail("it is still listened to")
        assert read_to_the_end(client) == b""


def test_after_the_handshake_it_is_head_timeout(secure: Secure, trust: Trust) -> None:
    with trust.connect(secure(hello, handshake_timeout=FOR_EVER, head_timeout=SHORT)) as client:
        assert read_all(client) == b""  # closed in order
    with trust.connect(secure(hello, handshake_timeout=FOR_EVER, head_timeout=SHORT)) as client:
        client.sendall(GET[:9])
        assert [reply.status for reply in replies(read_all(client))] == [408]


def test_a_slow_handshake_within_its_time(secure: Secure, trust: Trust) -> None:
    """`head_timeout` begins after it."""
    server = secure(hello, handshake_timeout=FOR_EVER, head_timeout=SHORT)
    with connect(server) as client:
        time.sleep(SHORT * 2)
        client.sendall(hello_of_client(trust.context()))
        assert client.recv(1) == b"\x16"


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
def test_plain_http_is_told_to_speak_tls(
    secure: Secure, trust: Trust, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = secure(hello)
    octets = exchange(server, asked(method, "/", body=b"x" * 5000 if method == "POST" else b""), half_close=False)
    (reply,) = replies(octets)
    assert (reply.status, reply.field("Connection")) == (400, "close")
    assert str(reply.field("Content-Type")).startswith("text/plain")
    assert re.search(rb"https", reply.body)
    assert served(server, trust)
    server.close()
    assert caplog.records == []


def test_tls_on_a_plain_port_is_refused(serve: Serve, trust: Trust) -> None:
    server = serve(hello)
    (reply,) = replies(exchange(server, hello_of_client(trust.context())))
    assert reply.status == 400
    with pytest.raises(ssl.SSLError, match="wrong version number"):
        trust.connect(server)


GARBAGE = {
    "noise": random.Random(1).randbytes(3000),
    "zeros": bytes(3000),
    "noise in a record": b"\x16\x03\x01\x0b\xb8" + random.Random(2).randbytes(3000),
    "an empty record": b"\x16\x03\x01\0\0" * 500,
    "a record that is too long": b"\x16\x03\x01\xff\xff" + bytes(70_000),
    "a ClientHello without an end": b"\x16\x03\x01\x40\0\x01\xff\xff\xff\x03\x03" + bytes(40_000),
    "alerts": b"\x15\x03\x03\0\x02\x01\0" * 500,
    "data": b"\x17\x03\x03\x01\0" + bytes(256),
    "SSL 2": b"\x80\x2e\x01\x00\x02" + bytes(43),
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "line ends": b"\r\n" * 10,
}


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage(secure: Secure, trust: Trust, garbage: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is ended at once, with whatever words, and is no news."""
    server = secure(hello, handshake_timeout=FOR_EVER)
    with connect(server) as client, suppress(OSError):
        client.sendall(GARBAGE[garbage])
        client.shutdown(socket.SHUT_WR)
        read_to_the_end(client)
    assert served(server, trust)
    server.close()
    assert caplog.records == []


@pytest.mark.parametrize("after", [0, 1, 5, 100, None])
def test_leaving_during_the_handshake(
    secure: Secure, trust: Trust, after: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    server = secure(hello, handshake_timeout=FOR_EVER, graceful_timeout=FOR_EVER)
    octets = hello_of_client(trust.context())[:after]
    for half in (False, True):
        client = connect(server)
        client.sendall(octets)
        if half:
            client.shutdown(socket.SHUT_WR)
            read_to_the_end(client)
        client.close()
    assert served(server, trust)
    server.close()  # nothing is left of them, or this would take an hour
    assert caplog.records == []


def test_a_client_that_does_not_trust_us(
    secure: Secure, trust: Trust, stranger: object, caplog: pytest.LogCaptureFixture, version: str
) -> None:
    server = secure(hello)
    context = Trust(stranger).context(version)  # type: ignore[arg-type]
    with pytest.raises(ssl.SSLCertVerificationError):
        trust.connect(server, context)
    assert served(server, trust)
    server.close()
    assert caplog.records == []

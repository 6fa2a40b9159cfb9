"""How TLS connections end: half-closed by clients in both layers, by clients that leave, and when the server stops."""

import socket
import struct
import threading
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from tests.strategies.applications import GET, Gate, Happened, hello, read_reply
from tests.strategies.test_shutdown import FOR_EVER, WAIT
from tests.tls.clients import BROKEN_OFF, Records, Trust
from tests.tls.conftest import Secure
from tests.wire import PATIENCE, read_all, replies
from tests.wsgi.applications import asked

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

HALF = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345"
LARGE = bytes(10_000_000)


def big(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    start_response("200 OK", [])
    return [LARGE]


@pytest.fixture
def patient(secure: Secure) -> Secure:
    """Servers that only answer because of what clients do, never because time is up."""
    for_ever = dict.fromkeys(("keep_alive", "head_timeout", "body_timeout", "graceful_timeout"), FOR_EVER)
    return lambda application, **options: secure(application, **{**for_ever, **options})


@pytest.mark.parametrize("pause", [False, True], ids=["at once", "later"])
def test_who_says_that_it_will_say_no_more_is_answered(
    patient: Secure, trust: Trust, version: str, pause: bool
) -> None:
    """close_notify alone: TCP stays open, and "does not have any effect on its read side" (RFC 8446 §6.1)."""
    with Records(patient(big), trust.context(version)) as client:
        client.handshake()
        if pause:
            client.send(GET + GET[:-1])
            client.send(GET[-1:])
            client.close_notify()
        else:
            client.close_notify(GET + GET)
        first, second = replies(client.read_all())
    assert first.body == second.body == LARGE


def test_who_closes_tcp_half_without_a_word_is_answered(patient: Secure, trust: Trust, version: str) -> None:
    """The requests say where they end: that close_notify is missing takes nothing from them."""
    with Records(patient(big), trust.context(version)) as client:
        client.handshake()
        client.send(GET + GET)
        client.socket.shutdown(socket.SHUT_WR)
        first, second = replies(client.read_all())
    assert first.body == second.body == LARGE


@pytest.mark.parametrize("half_close", [False, True], ids=["close_notify", "FIN"])
def test_who_says_too_early_that_it_will_say_no_more_is_told(
    patient: Secure, trust: Trust, version: str, half_close: bool
) -> None:
    with Records(patient(hello), trust.context(version)) as client:
        client.handshake()
        client.send(HALF)
        if half_close:
            client.socket.shutdown(socket.SHUT_WR)
        else:
            client.close_notify()
        (reply,) = replies(client.read_all())
    assert (reply.status, reply.field("Connection")) == (400, "close")


@pytest.mark.parametrize("used", [False, True], ids=["unused", "used"])
def test_an_idle_client_that_says_goodbye_is_let_go(patient: Secure, trust: Trust, version: str, used: bool) -> None:
    """It may leave TCP to us (RFC 9112 §9.8)."""
    with Records(patient(hello), trust.context(version)) as client:
        client.handshake()
        if used:
            client.send(GET)
            read_reply(client)  # type: ignore[arg-type]
        client.close_notify()
        assert client.read_all() == b""
        assert client.socket.recv(1) == b""


@pytest.mark.parametrize("octets", [b"x" * 100, GET, bytes(40_000)], ids=["some", "a request", "many"])
def test_what_comes_after_the_last_word_is_not_minded(
    patient: Secure, trust: Trust, version: str, octets: bytes
) -> None:
    """It must be ignored (RFC 8446 §6.1): nothing turns in a circle over it."""
    server = patient(hello, linger_timeout=0.2)
    with Records(server, trust.context(version)) as client:
        client.handshake()
        client.tls.write(GET)
        client.close_notify_and(octets)
        with suppress(ConnectionResetError):  # it may be told that nobody listens
            assert [reply.status for reply in replies(client.read_all())] == [200]
    (reply,) = replies(trust.exchange(server, asked("GET", "/x", "Connection: close")))
    assert reply.body == b"hello /x"


def test_a_request_in_one_segment_with_the_end_of_the_handshake(patient: Secure, trust: Trust, version: str) -> None:
    """The kernel shows no more octets: what is here already must be looked at."""
    with Records(patient(hello), trust.context(version)) as client:
        client.handshake(finish=version == "TLSv1.2")
        client.send(GET)
        assert read_reply(client).status == 200  # type: ignore[arg-type]


@pytest.mark.parametrize("how", ["orderly", "without a word", "reset"])
def test_clients_that_leave_leave_nothing(
    patient: Secure, trust: Trust, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = patient(hello)
    for octets in (b"", GET[:9], HALF, GET):
        client = Records(server, trust.context()).handshake()
        if octets:
            client.send(octets)
        if how == "orderly":
            client.close_notify()
        if how == "reset":
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.socket.close()
    assert replies(trust.exchange(server, asked("GET", "/", "Connection: close")))[0].status == 200
    server.close()  # nothing is in flight any more, or this would take an hour
    assert caplog.records == []


@pytest.mark.parametrize("how", ["orderly", "without a word", "reset"])
def test_an_application_can_tell_that_nobody_waits(patient: Secure, trust: Trust, how: str) -> None:
    entered, noticed = Happened(), Happened()

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        assert not environ["wsgiraw.client_gone"]()
        entered.set()
        for _ in range(int(PATIENCE * 100)):
            if environ["wsgiraw.client_gone"]():
                noticed.set()
                break
            threading.Event().wait(0.01)
        return hello(environ, start_response)

    client = Records(patient(application), trust.context()).handshake()
    client.send(GET)
    assert entered.wait(PATIENCE)
    if how == "orderly":
        client.close_notify()
    if how == "reset":
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.socket.close()
    assert noticed.wait(PATIENCE)


def test_after_keep_alive_it_ends_in_order(secure: Secure, trust: Trust, version: str) -> None:
    with trust.connect(secure(hello, keep_alive=0.1), trust.context(version)) as client:
        client.sendall(GET)
        (reply,) = replies(read_all(client))
        assert reply.body == b"hello /"


def test_a_stop_lets_idle_connections_go_in_order(patient: Secure, trust: Trust, version: str) -> None:
    server = patient(hello)
    with (
        trust.connect(server, trust.context(version)) as client,
        client.makefile("rb") as stream,
    ):
        client.sendall(GET)
        assert read_reply(stream).status == 200
        server.close()
        assert stream.read() == b""
    with pytest.raises(ConnectionRefusedError):
        trust.connect(server)


def test_a_stop_finishes_what_is_in_flight(patient: Secure, trust: Trust) -> None:
    gate = Gate()
    server = patient(gate)
    with trust.connect(server) as client:
        client.sendall(WAIT)
        assert gate.entered.wait(PATIENCE)
        server.shutdown()
        gate.released.set()
        (reply,) = replies(read_all(client))
    assert (reply.status, reply.body) == (200, b"hello /wait")


def test_a_stop_waits_for_a_response_on_its_way(patient: Secure, trust: Trust, strategy: str) -> None:
    server = patient(big)
    with ExitStack() as stack:
        client = stack.enter_context(trust.connect(server))
        client.sendall(GET)
        start = client.recv(1)
        idle = None if strategy == "serial" else stack.enter_context(trust.connect(server))
        server.shutdown()
        if idle is not None:
            assert read_all(idle) == b""  # it has been noticed
        (reply,) = replies(start + read_all(client))
    assert reply.body == LARGE


def test_a_stop_does_not_wait_for_handshakes(patient: Secure, trust: Trust) -> None:
    server = patient(hello, handshake_timeout=FOR_EVER)
    with Records(server, trust.context()) as client:
        client.socket.sendall(b"\x16\x03\x01")
        stopped = threading.Thread(target=server.close)
        stopped.start()
        stopped.join(PATIENCE)
        assert not stopped.is_alive()


def test_who_does_not_finish_in_time_is_cut_off(patient: Secure, trust: Trust) -> None:
    server = patient(hello, graceful_timeout=0.2)
    with trust.connect(server) as client, client.makefile("rb") as stream:
        client.sendall(GET + HALF)
        assert read_reply(stream).status == 200
        server.close()
        with suppress(*BROKEN_OFF):
            assert stream.read() == b""

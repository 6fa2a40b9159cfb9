"""How long a client may take in each phase: deadlines as a data structure, then as a client meets them."""

import math
import select
import socket
import time
from contextlib import ExitStack

import pytest

from tests.conftest import Serve, ServeEverywhere
from tests.strategies.applications import GET, Gate, Pieces, hello, read_reply
from tests.wire import PATIENCE, connect, exchange, read_all, replies
from wsgiraw import Server
from wsgiraw.strategies.timeouts import Deadlines

SHORT = 0.2


def test_deadlines_are_due_in_the_order_they_were_started() -> None:
    deadlines = Deadlines[str](10)
    assert deadlines.first() == math.inf
    assert list(deadlines.expired(1e9)) == []
    assert deadlines.start("a", 100) == 110
    deadlines.start("b", 101)
    deadlines.start("c", 102)
    deadlines.cancel("a")
    assert deadlines.first() == 111
    assert "a" not in deadlines
    assert list(deadlines.expired(110.9)) == []
    found = []
    for entry in deadlines.expired(111):
        found.append(entry)
        deadlines.cancel(entry)
    assert found == ["b"]
    assert deadlines
    assert "c" in deadlines
    deadlines.cancel("c")
    assert not deadlines


def test_silence_from_the_start_is_answered_with_silence(serve: Serve) -> None:
    with connect(serve(hello, head_timeout=SHORT)) as client:
        assert read_all(client) == b""


def test_a_head_that_stops_gets_408(serve: Serve) -> None:
    with connect(serve(hello, head_timeout=SHORT)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        (reply,) = replies(read_all(client))
    assert (reply.status, reply.body) == (408, b"the request head took too long\n")
    assert reply.field("Connection") == "close"


def drip(client: socket.socket, octet: bytes) -> int:
    """Send an octet now and then until the server says something; return how many were sent."""
    for count in range(500):
        if select.select([client], [], [], 0.02)[0]:
            return count
        client.sendall(octet)
    pytest.fail("nothing was said")


def test_dripping_does_not_prolong_the_time_for_a_head(serve: Serve) -> None:
    with connect(serve(hello, head_timeout=SHORT)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: ")
        drip(client, b"a")
        (reply,) = replies(read_all(client))
    assert reply.status == 408


def test_the_head_of_a_later_request_is_timed_too(serve: Serve) -> None:
    server = serve(hello, head_timeout=SHORT)
    with connect(server) as client, client.makefile("rb") as stream:
        client.sendall(GET)
        assert read_reply(stream).status == 200
        client.sendall(b"GET / HTTP/1.1\r\n")
        assert read_reply(stream).status == 408


def test_each_head_of_a_pipeline_has_the_whole_time(serve_everywhere: ServeEverywhere) -> None:
    """A client that always has a head on its way is not late, as long as each of them arrives in time."""
    span = 1.0
    servers = serve_everywhere(hello, head_timeout=span)
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for server in servers]
        streams = [stack.enter_context(client.makefile("rb")) for client in clients]
        for client in clients:
            client.sendall(GET[:10])
        began = time.monotonic()
        while time.monotonic() < began + 1.5 * span:
            for client in clients:
                client.sendall(GET[10:] + GET[:10])
            assert [read_reply(stream).status for stream in streams] == [200] * len(servers)


def test_a_body_that_stops_gets_408(serve: Serve) -> None:
    for framing in (b"Content-Length: 10\r\n\r\n12345", b"Transfer-Encoding: chunked\r\n\r\na\r\n12345"):
        with connect(serve(hello, body_timeout=SHORT)) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing)
            (reply,) = replies(read_all(client))
        assert (reply.status, reply.body) == (408, b"the request body took too long\n")


def test_a_slow_body_is_fine_while_it_comes(serve_everywhere: ServeEverywhere) -> None:
    span = 1.0
    servers = serve_everywhere(hello, body_timeout=span, min_rate=0)
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for server in servers]
        for client in clients:
            client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n")
        for _ in range(6):
            assert not select.select(clients, [], [], span / 5)[0]
            for client in clients:
                client.sendall(b"x")
        streams = [stack.enter_context(client.makefile("rb")) for client in clients]
        assert [read_reply(stream).status for stream in streams] == [200] * len(servers)


def test_who_waits_for_100_continue_and_then_stalls_gets_408(serve: Serve) -> None:
    with connect(serve(hello, body_timeout=SHORT)) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        assert [reply.status for reply in replies(read_all(client), "POST")] == [100, 408]


def test_an_idle_connection_is_closed_without_a_word(serve: Serve) -> None:
    with connect(serve(hello, keep_alive=SHORT)) as client, client.makefile("rb") as stream:
        client.sendall(GET)
        reply = read_reply(stream)
        assert (reply.status, reply.field("Connection")) == (200, None)
        assert stream.read() == b""


def test_without_keep_alive_each_response_is_the_last(serve: Serve) -> None:
    with connect(serve(hello, keep_alive=0)) as client:
        client.sendall(GET + GET)
        (reply,) = replies(read_all(client))
    assert (reply.status, reply.field("Connection")) == (200, "close")


def test_a_client_that_takes_nothing_is_cut_off(serve: Serve) -> None:
    pieces = Pieces()
    server = serve(pieces, write_timeout=SHORT)
    with connect(server) as client:
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        assert pieces.closed.wait(20)
        with pytest.raises(ConnectionResetError):  # so that it cannot take what it has for the whole
            read_all(client)
    with connect(server) as client, client.makefile("rb") as stream:
        client.sendall(GET)
        assert read_reply(stream).status == 200
    assert pieces.closings == 1


def test_a_slow_application_costs_no_client_its_time() -> None:
    """The loop's clock stands still while the application runs; a timeout counts from when the client's turn began."""
    gate = Gate()

    def slow(environ, start_response):  # type: ignore[no-untyped-def]
        body = gate(environ, start_response)
        if environ["PATH_INFO"] == "/wait":
            time.sleep(0.6)  # longer than keep_alive
        return body

    with (
        Server(slow, port=0, strategy="eventloop", keep_alive=0.5) as server,
        connect(server) as client,
        client.makefile("rb") as stream,
    ):
        client.sendall(GET.replace(b"/", b"/wait", 1))
        assert gate.entered.wait(20)
        with connect(server) as other, other.makefile("rb") as others:
            other.sendall(GET)  # wakes the loop as soon as it is back
            gate.released.set()
            assert read_reply(stream).status == 200
            client.sendall(GET)
            assert read_reply(stream).status == 200
            assert read_reply(others).status == 200


def test_who_has_spoken_while_the_application_ran_is_heard_first() -> None:
    """However many they are: more than one poll reports."""
    gate, span = Gate(), 3.0
    with Server(gate, port=0, strategy="eventloop", head_timeout=span) as server, ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in range(300)]
        for client in clients:
            client.sendall(b"GET / HTTP/1.0\r\n")
        assert replies(exchange(server, GET))[0].status == 200  # all have been heard so far
        busy = stack.enter_context(connect(server))
        busy.sendall(GET.replace(b" / ", b" /wait "))
        assert gate.entered.wait(PATIENCE)
        for client in clients:
            client.sendall(b"\r\n")
        time.sleep(span)
        gate.released.set()
        assert {replies(read_all(client))[0].status for client in clients} == {200}

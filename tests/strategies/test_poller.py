"""Readiness: epoll where there is one, and the standard library's selectors as its stand-in, which must do the same."""

import select
import socket

import pytest

from tests.strategies.applications import GET, hello, read_reply
from tests.wire import connect, exchange, replies
from wsgiraw import Server
from wsgiraw.strategies import loop
from wsgiraw.strategies.poller import READ, WRITE, Poller, SelectorPoller, new_poller

POLLERS = [new_poller, SelectorPoller]


def test_the_best_one_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    if hasattr(select, "epoll"):
        with new_poller() as poller:  # type: ignore[attr-defined]
            assert isinstance(poller, select.epoll)
        monkeypatch.delattr(select, "epoll")
    poller = new_poller()
    assert isinstance(poller, SelectorPoller)
    poller.close()


@pytest.mark.parametrize("make", POLLERS)
def test_readiness(make: type[SelectorPoller]) -> None:
    poller: Poller = make()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        descriptor = ours.fileno()
        poller.register(descriptor, READ)
        assert poller.poll(0) == []
        theirs.sendall(b"x")
        assert poller.poll(None) == [(descriptor, READ)]
        assert poller.poll(0) == [(descriptor, READ)]  # level-triggered
        poller.modify(descriptor, WRITE)
        assert poller.poll(0) == [(descriptor, WRITE)]
        poller.unregister(descriptor)
        assert poller.poll(0) == []
    poller.close()


@pytest.mark.parametrize("make", POLLERS)
def test_a_peer_that_leaves_wakes_whoever_waits_for_room(make: type[SelectorPoller]) -> None:
    poller: Poller = make()
    ours, theirs = socket.socketpair()
    with ours:
        poller.register(ours.fileno(), WRITE)
        theirs.close()
        assert [descriptor for descriptor, _ in poller.poll(None)] == [ours.fileno()]
    poller.close()


def test_the_event_loop_on_selectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole life on the stand-in: keep-alive, back-pressure, a refusal, a timeout, a client that leaves, the end."""
    body = bytes(range(256)) * 40_000

    def application(environ, start_response):  # type: ignore[no-untyped-def]
        if environ["PATH_INFO"] != "/big":
            return hello(environ, start_response)
        start_response("200 OK", [])
        return (body[at : at + 1_000_000] for at in range(0, len(body), 1_000_000))

    big = GET.replace(b"/", b"/big", 1)
    monkeypatch.setattr(loop, "new_poller", SelectorPoller)
    with Server(application, port=0, strategy="eventloop", head_timeout=0.2, linger_timeout=0.2) as server:
        with connect(server) as client, client.makefile("rb") as stream:
            for _ in range(2):
                client.sendall(GET)
                assert read_reply(stream).status == 200
            client.sendall(big + GET)
            replies_in_turn = [read_reply(stream), read_reply(stream)]
            assert [reply.body for reply in replies_in_turn] == [body, b"hello /"]
            client.sendall(GET[:-2])
            assert read_reply(stream).status == 408
        assert replies(exchange(server, b"nonsense\r\n\r\n"))[0].status == 400
        leaver = connect(server)
        leaver.sendall(big)
        assert leaver.recv(1) == b"H"
        leaver.close()
        assert replies(exchange(server, GET))[0].status == 200

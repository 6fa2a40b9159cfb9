"""Five hundred clients at once: where a loop holds them all, and where each waits for a thread."""

import resource
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.strategies.applications import GET, hello, read_reply
from tests.wire import connect, read_all, replies
from wsgiraw import Server

CLIENTS = 500


@pytest.fixture(autouse=True)
def descriptors() -> Iterator[None]:
    """Both ends of each connection are ours."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4 * CLIENTS, hard)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("strategy", ["handoff", "eventloop", "pooled"])
def test_all_are_answered(strategy: str) -> None:
    with Server(hello, port=0, strategy=strategy) as server, ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in range(CLIENTS)]
        streams = [stack.enter_context(client.makefile("rb")) for client in clients]
        for turn in range(2):
            for number, client in enumerate(clients):
                client.sendall(GET.replace(b"/", b"/%d/%d" % (turn, number), 1))
            for number, stream in enumerate(streams):
                assert read_reply(stream).body == b"hello /%d/%d" % (turn, number)


def test_all_get_a_thread_in_their_turn() -> None:
    with Server(hello, port=0, strategy="threaded", threads=16) as server, ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in range(CLIENTS)]
        for number, client in enumerate(clients):
            client.sendall(GET.replace(b"/", b"/%d" % number, 1).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        for number, client in enumerate(clients):
            assert [reply.body for reply in replies(read_all(client))] == [b"hello /%d" % number]

"""Clients that come, pipeline in pieces, half-close, leave and reset in any order; the model says what they are due."""

import socket
import struct
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    rule,
    run_state_machine_as_test,
)

from tests.fuzz.model import judge
from tests.fuzz.verdict import Accepted, End
from tests.http11.octets import REQUESTS
from tests.http11.outcome import cut
from tests.strategies.applications import read_reply
from tests.strategies.waiting import eventually
from tests.wire import Reply, connect, read_all, replies
from wsgiraw import Server
from wsgiraw.http11 import Limits

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

FAULTS = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    b"\x16\x03\x01",
    b"\r\n\r\n\r\n",
]
HALVES = REQUESTS.map(lambda octets: octets[: len(octets) // 2])
OCTETS = st.one_of(REQUESTS, st.lists(REQUESTS, max_size=5).map(b"".join), HALVES, st.sampled_from(FAULTS))

LARGE = 300_000
"""Octets that no socket takes at once while nobody reads."""


class Answer(list[bytes]):
    """The pieces of one response."""

    closings = 0

    def close(self) -> None:
        """Count."""
        self.closings += 1


class Pieces(Answer):
    """The same, but not all known in advance."""

    def __iter__(self):  # type: ignore[no-untyped-def]
        yield from list(super().__iter__())


class Application:
    """Tells of each request what came of it, by the last digit of its target in different ways."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        told = telling(environ["REQUEST_METHOD"], environ["REQUEST_URI"], environ["wsgi.input"].read())
        write = start_response("200 OK", [("Content-Type", "application/octet-stream")])
        kind = environ["PATH_INFO"][-1:]
        if kind == "1":
            write(told[:3])
            answer = Answer([told[3:]])
        elif kind in "23":
            answer = Pieces([told[:3], told[3:]])
        else:
            answer = Answer([told])
        if kind in "34":
            threading.Event().wait(0.003)  # longer than a call may stay on the loop of `handoff`
        self.answers.append(answer)
        return answer


def telling(method: str, target: str, body: bytes) -> bytes:
    """Return the body that answers a request."""
    return b"%b %b %b" % (method.encode(), target.encode(), body) + bytes(LARGE if target == "/5" else 0)


class Client:
    """One connection, what was sent on it, and which answers have been read."""

    def __init__(self, server: Server) -> None:
        self.socket = connect(server)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")
        self.sent = b""
        self.half_closed = False
        self.answered = 0

    def half_close(self) -> None:
        """Send no more."""
        if not self.half_closed:
            self.half_closed = True
            self.socket.shutdown(socket.SHUT_WR)

    def read_what_is_due(self) -> None:
        """Read the answers to all requests that are complete."""
        requests = judge(self.sent, Limits()).requests
        while self.answered < len(requests):
            reply = read_reply(self.stream)
            if reply.status != 100:
                check(requests[self.answered], reply)
                self.answered += 1

    def read_to_the_end(self) -> None:
        """Read everything; nothing is missing, nothing too much, and nothing in another order."""
        verdict = judge(self.sent, Limits())
        final = [reply for reply in replies(self.stream.read()) if reply.status != 100]
        due = verdict.requests[self.answered :]
        for request, reply in zip(due, final, strict=False):
            check(request, reply)
        rest = [reply.status for reply in final[len(due) :]]
        assert len(final) >= len(due)
        if verdict.end is End.REFUSED:
            assert len(rest) == 1
            assert rest[0] in verdict.statuses
            assert final[-1].field("Connection") == "close"
        else:
            assert rest == ([400] if verdict.end is End.INCOMPLETE else [])

    def close(self) -> None:
        """Leave."""
        self.stream.close()
        self.socket.close()


def check(request: Accepted, reply: Reply) -> None:
    assert reply.status == 200
    assert reply.body == telling(request.method, request.target, request.body)
    assert (reply.field("Connection") == "close") == (not request.keep_alive)


class SocketMachine(RuleBasedStateMachine):
    """What clients may do."""

    server: Server
    application: Application
    clients = Bundle("clients")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.here: list[Client] = []

    @rule(target=clients)
    def arrive(self) -> Client:
        """Another client."""
        client = Client(self.server)
        self.stack.callback(client.close)
        self.here.append(client)
        return client

    @rule(client=clients, octets=OCTETS, positions=st.lists(st.integers(0, 200), max_size=3))
    def send(self, client: Client, octets: bytes, positions: list[int]) -> None:
        """Requests, parts of them, and what is none; only behind a close that it asked for it sends nothing.

        RFC 9112 §9.6 forbids that, and the server need not wait for it: the answer could be lost to a reset.
        """
        for piece in cut(octets, *(position % (len(octets) + 1) for position in positions)):
            if not client.half_closed and judge(client.sent, Limits()).end is not End.CLOSED:
                client.socket.sendall(piece)
                client.sent += piece

    @rule(client=clients)
    def read(self, client: Client) -> None:
        """Wait for all that is due."""
        client.read_what_is_due()

    @rule(client=clients)
    def half_close(self, client: Client) -> None:
        """A client that has sent everything is still answered."""
        client.half_close()

    @rule(client=consumes(clients))
    def leave(self, client: Client) -> None:
        """A client leaves without having read."""
        self.here.remove(client)
        client.close()

    @rule(client=consumes(clients))
    def reset(self, client: Client) -> None:
        """A client leaves with a reset."""
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.leave(client)

    def teardown(self) -> None:
        """Who is still here gets everything, the application was told of every end, and the server goes on."""
        with self.stack:
            for client in self.here:
                client.half_close()
                client.read_to_the_end()
        answers = self.application.answers
        with connect(self.server) as fresh:
            fresh.sendall(b"GET /fresh HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            (reply,) = replies(read_all(fresh))
            assert reply.body == b"GET /fresh "
        eventually(lambda: all(answer.closings for answer in answers))  # of who has left, too
        assert {answer.closings for answer in answers} == {1}
        answers.clear()


@pytest.mark.parametrize("strategy", ["handoff", "eventloop", "pooled"])
def test_any_order_of_events(strategy: str) -> None:
    application = Application()
    options = {} if strategy == "eventloop" else {"threads": 2}
    with Server(application, port=0, strategy=strategy, linger_timeout=60, **options) as server:
        machine = type("Machine", (SocketMachine,), {"server": server, "application": application})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=150, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
            ),
        )

"""What clients and requests that take long do to others."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from wsgiraw.compare.behaviour.bell import Bell
from wsgiraw.compare.behaviour.conversation import Client, ask, post
from wsgiraw.compare.behaviour.subject import NoAnswer, Subject, Verdict
from wsgiraw.compare.loopback import HOST

__all__ = ["slow_request_beside", "stalls"]

_FURTHER = 5
_SETTLES = 0.2
"""Seconds that stalling clients get to take hold of whatever they take hold of."""

_LETS_IN = 0.5
"""Seconds after which stalling clients no longer try to connect."""
_ATTEMPT = 0.02
"""Seconds of one attempt to connect. The kernel drops them while a server's queue is full."""

_BODY = post("/body", bytes(500), "Content-Length: 1000")
_HEAD = b"GET /stalls HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: a"
_STALLING = (_BODY, _HEAD, _BODY, b"") * 12 + (_BODY, _HEAD)
"""What each of 50 clients says before it says no more: half a body, half a head, nothing."""


def stalls(subject: Subject) -> Verdict:
    """Others are answered while 50 clients stall: silent ones, with half a head, with half a body. CWE-400, CWE-410.

    It takes one person with a script, or a train full of phones in a tunnel, to occupy every thread of a server that
    waits for a client in one (Slowloris). To all others the site is down until a timeout, where there is one: RFC 9112
    §9.5 leaves that to the server. 5 new clients must be answered in time; the user's application would show no more.
    """
    with _stalling(subject):
        answered = _answered(subject, "/beside")
    return answered == _FURTHER, "answers all" if answered == _FURTHER else f"answers {answered} of {_FURTHER}"


def slow_request_beside(subject: Subject) -> Verdict:
    """Quick requests are answered while the application works on a slow one (PEP 3333, "Thread Support", permits both).

    Otherwise each report, upload or slow query stops the whole site for its duration. A server with one thread cannot
    help it; that is then what its clients get.
    """
    with Bell() as bell, Client(subject) as slow:
        slow.send(ask(bell.target("slow")))
        if not bell.wait(1, subject.patience):
            raise NoAnswer(f"the application is not called within {subject.patience:g} s")
        answered = _answered(subject, "/quick")
        bell.release()
        slow.answer()
    held_up = _FURTHER - answered
    return not held_up, f"holds up {held_up} of {_FURTHER}" if held_up else "not held up"


def _answered(subject: Subject, target: str) -> int:
    """Send requests on new connections, all at once; return how many are answered in time, all within one patience."""
    deadline = time.monotonic() + subject.patience
    answered = 0
    with ExitStack() as stack:
        clients = []
        for _ in range(_FURTHER):
            left = max(deadline - time.monotonic(), 0.001)
            with suppress(NoAnswer):
                client = stack.enter_context(Client(Subject(subject.server, left)))
                client.send(ask(target))
                clients.append(client)
        for client in clients:
            with suppress(NoAnswer):
                answer = client.answer(seconds=deadline - time.monotonic())
                answered += answer.body == target.encode()
    return answered


@contextmanager
def _stalling(subject: Subject) -> Iterator[None]:
    """Connect the stalling clients, as many as the server lets in."""
    deadline = time.monotonic() + _LETS_IN
    with ExitStack() as stack:
        for says in _STALLING:
            while time.monotonic() < deadline:
                client = socket.socket()
                client.settimeout(_ATTEMPT)
                try:
                    client.connect((HOST, subject.port))
                except OSError:
                    client.close()
                    continue
                stack.enter_context(client)
                with suppress(OSError):  # closed at once
                    client.send(says)
                break
        time.sleep(_SETTLES)
        yield

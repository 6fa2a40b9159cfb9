"""What clients do with a connection: several requests at once, or closing one side of it after the last."""

import time

from wsgiraw.compare.behaviour.bell import Bell
from wsgiraw.compare.behaviour.conversation import Client, ask
from wsgiraw.compare.behaviour.subject import NoAnswer, Subject, Verdict

__all__ = ["half_close", "pipelining"]

_SETTLES = 0.1
"""Seconds that a server gets to see that the client has closed its side."""
_GLANCE = 0.01
"""Seconds for which one of two things is waited for, that either may happen."""


def pipelining(subject: Subject) -> Verdict:
    """Three requests in one packet are all answered, in their order (RFC 9112 §9.3.2: it MUST send them in that order).

    Package managers, crawlers and some proxies pipeline. Otherwise they wait for an answer that never comes, or take
    one for another. A server that closes after the first and says so keeps no connections: then it cannot be looked at.
    """
    wanted = ["/first", "/second", "/third"]
    with Client(subject) as client:
        client.send(b"".join(ask(target) for target in wanted))
        for number, target in enumerate(wanted):
            try:
                answer = client.answer()
            except NoAnswer as error:
                if not number:
                    raise
                return False, f"{number} of 3, then {error}"
            if answer.body != target.encode():
                return False, f"another body for request {number + 1}"
            if answer.last and target != wanted[-1]:
                return None, f"closes after request {number + 1}"
    return True, "3 in order"


def half_close(subject: Subject) -> Verdict:
    """A client that closes its side after its request is still answered (RFC 9293 §3.6: CLOSE says "no more to send").

    `printf ... | nc -N`, scripts with SHUT_WR and some health checks do. It looks like a client that has gone, until
    one tries to send. The application is held until the server must have seen it.
    """
    with Bell() as bell, Client(subject) as client:
        client.send(ask(bell.target("half")))
        client.end_sending()
        deadline = time.monotonic() + subject.patience
        while not (called := bell.wait(1, _GLANCE)) and not client.hear(bool, _GLANCE):
            if client.ended or time.monotonic() > deadline:
                break
        if called:
            client.hear(bool, _SETTLES)
        bell.release()
        answer = client.answer()
    if answer.body != b"held half":
        return False, f"{answer.status}" if answer.whole else "breaks off"
    return True, "answers"

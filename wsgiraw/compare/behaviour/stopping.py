"""What happens to requests when the server is told to stop, as at each deployment."""

import time
from contextlib import ExitStack, suppress

from wsgiraw.compare.behaviour.bell import Bell
from wsgiraw.compare.behaviour.conversation import Client, ask
from wsgiraw.compare.behaviour.subject import NoAnswer, Subject, Verdict

__all__ = ["sigterm"]

_WORKED_ON = 4
_JUST_CONNECTED = 16
_IDLE = 2
_CALLED = 0.3
"""Seconds within which all that can be called at a time have been."""
_GOES_ON = 0.4
"""Seconds after the signal during which the application still works: whoever drops it has done so by then."""


def sigterm(subject: Subject) -> Verdict:
    """Requests that the application works on at SIGTERM get their full answer, and no answer is cut (RFC 9112 §9.6).

    4 requests are in the application, 2 connections idle and 16 have just come when the signal arrives (SIGTERM is what
    systemd, docker and kill send); the application goes on for 0.4 s. A server that ends at once loses requests at each
    deployment, perhaps after the order was paid and before the visitor hears of it. Of those that have just come,
    unanswered ones are counted but not held against a server: the application was not called for them, so that a proxy
    may send them again elsewhere (RFC 9110 §9.2.2). A cut answer is held against it.
    """
    with Bell() as bell, ExitStack() as stack:
        clients: dict[str, Client] = {}

        def send(name: str, target: str, at: Subject) -> None:
            clients[name] = stack.enter_context(Client(at))
            clients[name].send(ask(target))

        for number in range(_WORKED_ON):
            send(f"held-{number}", bell.target(f"held-{number}"), subject)
        bell.wait(1, subject.patience)
        bell.wait(_WORKED_ON, _CALLED)
        hurried = Subject(subject.server, _CALLED)
        with suppress(NoAnswer):  # one that already works on as many as it can has no idle ones either
            for _ in range(_IDLE):
                idle = stack.enter_context(Client(hurried))
                idle.send(ask("/idle"))
                idle.answer()
        with suppress(NoAnswer):  # it lets in no more than it works on
            for number in range(_JUST_CONNECTED):
                send(f"new-{number}", f"/new-{number}", hurried)
        subject.server.terminate()
        time.sleep(_GOES_ON)
        bell.release()
        deadline = time.monotonic() + subject.patience
        answered: set[str] = set()
        cut: set[str] = set()
        for name, client in clients.items():
            wanted = f"held {name}" if name.startswith("held") else f"/{name}"
            try:
                answer = client.answer(seconds=deadline - time.monotonic())
            except NoAnswer:
                if client.received:
                    cut.add(name)
                continue
            if not answer.whole:
                cut.add(name)
            elif answer.body == wanted.encode():  # any other is a refusal, such as 503
                answered.add(name)
        return _verdict(called=bell.rung(), sent=set(clients), answered=answered, cut=cut)


def _verdict(*, called: set[str], sent: set[str], answered: set[str], cut: set[str]) -> Verdict:
    if not called:
        return False, "the application is not called"
    if lost := called - answered:
        return False, f"loses {len(lost)} of {len(called)} in work"
    if cut:
        return False, f"cuts {len(cut)} answers"
    waiting = len(sent - answered)
    return True, "answers all" if not waiting else f"answers all {len(called)} in work; {waiting} just come get none"

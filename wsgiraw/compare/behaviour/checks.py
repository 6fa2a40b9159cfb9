"""The checks in their order, why each matters and which rule it has; and making them all on one server.

One after the other: with a server of one thread, two at a time would look like a fault of it. A server that dies or
hangs is started once more; SIGTERM comes last. It prints nothing.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from wsgiraw.compare.behaviour.connections import half_close, pipelining
from wsgiraw.compare.behaviour.conversation import Client, ask
from wsgiraw.compare.behaviour.framing import chunked_body, duplicate_length, length_and_chunked, short_body
from wsgiraw.compare.behaviour.heads import bad_request, expect_continue, head_no_body, response_splitting
from wsgiraw.compare.behaviour.stopping import sigterm
from wsgiraw.compare.behaviour.subject import NoAnswer, Running, Subject, Verdict
from wsgiraw.compare.behaviour.waiting import slow_request_beside, stalls
from wsgiraw.compare.results import Finding

__all__ = ["APPLICATION", "CHECKS", "PATIENCE", "Check", "check"]

APPLICATION = "wsgiraw.compare.behaviour.application:application"
"""What the servers are started with."""

PATIENCE = 1.0
"""Seconds after which an answer no longer counts."""

_STARTS = 2


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that clients do, or that happens to them."""

    title: str
    """For a heading of a table."""
    why: str
    """What a client suffers where it goes wrong, in a sentence."""
    source: str
    """The rule."""
    look: Callable[[Subject], Verdict]


CHECKS = {
    "pipelining": Check(
        "three requests in one packet",
        "A client that sends several requests at once must get all answers, in order.",
        "RFC 9112 §9.3.2",
        pipelining,
    ),
    "half-close": Check(
        "client closes its side after the request",
        "Scripts and health checks that close their sending side get no answer.",
        "RFC 9293 §3.6",
        half_close,
    ),
    "chunked-body": Check(
        "chunked request body",
        "Uploads of unknown length (curl from a pipe, phones, proxies) arrive empty or garbled.",
        "RFC 9112 §7.1",
        chunked_body,
    ),
    "expect-continue": Check(
        "Expect: 100-continue",
        "Each large upload begins with a second of waiting.",
        "RFC 9110 §10.1.1",
        expect_continue,
    ),
    "head-no-body": Check(
        "HEAD",
        "A body after HEAD is taken for the next answer on the connection.",
        "RFC 9110 §9.3.2",
        head_no_body,
    ),
    "bad-request": Check(
        "what is no request",
        "A client with a fault waits, or is cut off without a word.",
        "RFC 9112 §3",
        bad_request,
    ),
    "duplicate-length": Check(
        "two Content-Lengths",
        "Behind a proxy, an attacker's request hides in another's body (request smuggling).",
        "RFC 9112 §6.3",
        duplicate_length,
    ),
    "length-and-chunked": Check(
        "Content-Length and chunked",
        "Behind a proxy, an attacker's request hides in another's body (request smuggling).",
        "RFC 9112 §6.1",
        length_and_chunked,
    ),
    "response-splitting": Check(
        "line end in a response field",
        "Visitors can add fields, cookies and whole responses wherever the application repeats what they send.",
        "PEP 3333, The start_response() Callable",
        response_splitting,
    ),
    "short-body": Check(
        "body shorter than promised",
        "The client waits for the rest, or takes the next answer for it.",
        "RFC 9112 §8",
        short_body,
    ),
    "slow-request-beside": Check(
        "quick requests beside a slow one",
        "One slow report or query holds up everybody.",
        "PEP 3333, Thread Support",
        slow_request_beside,
    ),
    "stalls": Check(
        "50 clients stall",
        "One person with a script, or phones that lose their network, take the site down for all others.",
        "CWE-400, RFC 9112 §9.5",
        stalls,
    ),
    "sigterm": Check(
        "SIGTERM with requests in work",
        "Each deployment loses what visitors are in the middle of.",
        "RFC 9112 §9.6",
        sigterm,
    ),
}
"""By their names, which stand in the results. The last two leave a server worst off."""


def check(
    start: Callable[[], AbstractContextManager[Running]],
    *,
    names: Iterable[str] = CHECKS,
    patience: float = PATIENCE,
    found: Callable[[Finding], object] = lambda finding: None,
) -> list[Finding]:
    """Start a server with `APPLICATION` and make the checks; `found` hears of each as it is made. At most two starts.

    What `start` raises is raised.
    """
    findings: list[Finding] = []

    def note(finding: Finding) -> None:
        findings.append(finding)
        found(finding)

    pending = [name for name in CHECKS if name in set(names)]
    for _ in range(_STARTS):
        if not pending:
            break
        with start() as server:
            subject = Subject(server, patience)
            alive = True
            while pending and alive:
                name = pending.pop(0)
                finding = _finding(name, subject)
                if name != "sigterm" and not (alive := _answers(subject)):
                    finding = replace(finding, good=False, answer=f"{finding.answer}, then answers nobody")
                note(finding)
    for name in pending:
        note(Finding(check=name, good=None, answer="not looked at: the server has died or hung before, twice"))
    return findings


def _finding(name: str, subject: Subject) -> Finding:
    try:
        good, answer = CHECKS[name].look(subject)
    except NoAnswer as error:
        good, answer = False, str(error)
    return Finding(check=name, good=good, answer=answer)


def _answers(subject: Subject) -> bool:
    """Whether it serves an ordinary request, at the latest when its supervisor has had time to mend things.

    Each attempt is short: where the queue of connections is full, a new attempt gets in sooner than one that waits.
    """
    deadline = time.monotonic() + 2 * subject.patience
    while True:
        try:
            with Client(Subject(subject.server, subject.patience / 4)) as client:
                client.send(ask("/alive"))
                return client.answer().status == 200
        except NoAnswer:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)

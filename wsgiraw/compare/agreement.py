"""Whether all servers give the same answers, before anything is measured, and which answers a load has to expect.

Status, Content-Type and body are compared; Date, Server, Set-Cookie and how a body is delimited differ by nature. The
answer of most servers is the right one, or that with the body that was asked for by --expect.
"""

import socket
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TypeVar

from wsgiraw.compare.loopback import HOST
from wsgiraw.compare.requests import Wanted
from wsgiraw.compare.servers.process import Running, ServerFailed
from wsgiraw.compare.servers.readiness import response

__all__ = ["Agreement", "Answer", "Answers", "Expected", "agree", "ask", "compare"]

ANSWER_SECONDS = 30.0
_Value = TypeVar("_Value")
_SHOWN = 40
"""Octets of a body in a note."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, as far as it matters."""

    status: int
    content_type: str
    body: bytes
    kept_alive: bool = True
    """Whether the connection stayed open."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The right answer to a request."""

    status: int
    content_type: str
    body: bytes | None
    """None where it differs from call to call."""
    length: int | None
    """Of the body in octets; None where that differs, too."""


@dataclass(slots=True)
class Agreement:
    """What was found."""

    expected: list[Expected] = field(default_factory=list)
    """For each request the right answer; nothing where no server answers."""
    different: dict[str, str] = field(default_factory=dict)
    """Servers whose answers are others, and how they differ."""
    failed: dict[str, str] = field(default_factory=dict)
    """Servers that did not start or answer, and what is wrong."""
    notes: dict[str, str] = field(default_factory=dict)
    """What is to be said of servers that agree."""
    remarks: list[str] = field(default_factory=list)
    """What is to be said of the requests."""


Answers = Sequence[Sequence[Answer]]
"""For each request the answers of one server, in the order in which they came."""


def agree(
    requests: Sequence[Wanted],
    starts: Mapping[str, Callable[[], AbstractContextManager[Running]]],
    began: Callable[[str], object] = lambda name: None,
    asked: Callable[[Running, Answers], object] = lambda server, answers: None,
) -> Agreement:
    """Start one server after the other, ask each for each request, and compare what they answer.

    `began` is told the name of each, `asked` what it has answered, while it still runs. A server that agreed is started
    once more where bodies differ: those which differ from start to start, or with time, say nothing about a server.
    """
    answers: dict[str, Answers] = {}
    failed: dict[str, str] = {}
    for name, start in starts.items():
        began(name)
        try:
            with start() as server:
                answers[name] = ask(server.port, requests)
                asked(server, answers[name])
        except ServerFailed as error:
            failed[name] = str(error)
    found = compare(requests, answers)
    agreeing = [name for name in answers if name not in found.different]
    if found.different and agreeing:
        reference = agreeing[0]
        try:
            with starts[reference]() as server:
                again = ask(server.port, requests)
        except ServerFailed as error:
            answers.pop(reference)
            failed[reference] = f"it answered, and the second time it did not: {error}"
            found = compare(requests, answers)
        else:
            pairs = enumerate(zip(answers[reference], again, strict=True))
            varying = {number for number, (before, after) in pairs if before[-1].body != after[-1].body}
            found = compare(requests, answers, varying) if varying else found
    found.failed.update(failed)
    return found


def ask(port: int, requests: Sequence[Wanted]) -> list[list[Answer]]:
    """Return two answers to each request, to two visitors on one connection. Raises ServerFailed."""
    found: list[list[Answer]] = []
    for wanted in requests:
        try:
            found.append(_twice(port, wanted))
        except (OSError, HTTPException) as error:
            raise ServerFailed(f"no answer to {wanted.shown}: {type(error).__name__}: {error}") from None
    return found


def _twice(port: int, wanted: Wanted) -> list[Answer]:
    first, second = (wanted.octets(f"{HOST}:{port}", variant=variant) for variant in (0, 1))
    with socket.create_connection((HOST, port), ANSWER_SECONDS) as client:
        before = _exchange(client, wanted, first)
        if before.kept_alive:
            try:
                return [before, _exchange(client, wanted, second)]
            except (ConnectionError, HTTPException):  # it was closed without a word
                before = Answer(before.status, before.content_type, before.body, kept_alive=False)
    with socket.create_connection((HOST, port), ANSWER_SECONDS) as client:
        return [before, _exchange(client, wanted, second)]


def _exchange(client: socket.socket, wanted: Wanted, octets: bytes) -> Answer:
    client.sendall(octets)
    answer, body = response(client, wanted.method)
    with answer:
        return Answer(answer.status, answer.getheader("Content-Type", "").strip(), body, not answer.will_close)


def compare(requests: Sequence[Wanted], answers: Mapping[str, Answers], varying: Collection[int] = ()) -> Agreement:
    """Compare the answers of servers, by name; bodies of `varying` requests are known to differ from call to call."""
    found = Agreement()
    differences: dict[str, list[str]] = {}
    for number, wanted in enumerate(requests):
        of_request = {name: server[number] for name, server in answers.items()}
        if not of_request:
            return found
        expected = _expected(wanted, of_request, number in varying)
        found.expected.append(expected)
        if expected.body is None:
            rest = "status, Content-Type" + (" and length" if expected.length is not None else "")
            found.remarks.append(f"the answer to {wanted.shown} differs from call to call: only {rest} are compared")
        if expected.status >= 400:
            found.remarks.append(f"the answer to {wanted.shown} is an error: {expected.status}")
        for name, given in of_request.items():
            if difference := _difference(given, expected, wanted):
                differences.setdefault(name, []).append(f"{wanted.shown}: {difference}")
    for name, said in differences.items():
        found.different[name] = said[0] + (f"; and {len(said) - 1} more" if len(said) > 1 else "")
    for name, server in answers.items():
        kept = [answer.kept_alive for given in server for answer in given]
        if not all(kept):
            found.notes[name] = f"closes the connection after {'some' if any(kept) else 'each'} of its answers"
    return found


def _expected(wanted: Wanted, answers: Mapping[str, Sequence[Answer]], varies: bool) -> Expected:
    """The answer of most servers, of the first where as many say otherwise; later answers count, as under a load.

    Who answers is right before those whose application or who themselves fail.
    """
    answers = {name: given for name, given in answers.items() if given[-1].status < 500} or answers
    if wanted.expect is not None:
        right = [given[-1] for given in answers.values() if wanted.expects(given[-1].body)]
        if not right:
            status, content_type = _most([(given[-1].status, given[-1].content_type) for given in answers.values()])
            return Expected(status, content_type, wanted.expect, len(wanted.expect))
        status, content_type, body = _most([(answer.status, answer.content_type, answer.body) for answer in right])
        return Expected(status, content_type, body, len(body))
    changing = [len({(answer.status, answer.body) for answer in given}) > 1 for given in answers.values()]
    if varies or sum(changing) * 2 > len(changing):
        status, content_type = _most([(given[-1].status, given[-1].content_type) for given in answers.values()])
        lengths = [{len(answer.body) for answer in given} for given in answers.values()]
        steady_length = all(len(own) == 1 for own in lengths)
        return Expected(status, content_type, None, _most([own.pop() for own in lengths]) if steady_length else None)
    steady = [given[-1] for given, changes in zip(answers.values(), changing, strict=True) if not changes]
    steady = steady or [given[-1] for given in answers.values()]
    status, content_type, body = _most([(answer.status, answer.content_type, answer.body) for answer in steady])
    return Expected(status, content_type, body, len(body))


def _most(values: Sequence[_Value]) -> _Value:
    return Counter(values).most_common(1)[0][0]


def _difference(given: Sequence[Answer], expected: Expected, wanted: Wanted) -> str:
    for answer in given[-1:] if expected.body is None else given:
        if answer.status != expected.status:
            return f"status {answer.status}, not {expected.status}"
        if expected.status >= 500:
            return ""  # the application fails under all of them, and each says so in its own words
        if answer.content_type != expected.content_type:
            return f"Content-Type {answer.content_type!r}, not {expected.content_type!r}"
        if expected.body is not None and answer.body != expected.body:
            whose = "the others'" if wanted.expect is None else "--expect's"
            return _difference_of_bodies(answer.body, expected.body, whose)
        if expected.length is not None and len(answer.body) != expected.length:
            return f"a body of {len(answer.body)} bytes, not {expected.length}"
    return ""


def _difference_of_bodies(body: bytes, right: bytes, whose: str) -> str:
    """Show both from shortly before where they part."""
    same = next((place for place, (one, other) in enumerate(zip(body, right, strict=False)) if one != other), None)
    place = max(0, (min(len(body), len(right)) if same is None else same) - 8)
    return (
        f"its body ({len(body)} bytes) has {body[place : place + _SHOWN]!r} at {place}, "
        f"{whose} ({len(right)} bytes) {right[place : place + _SHOWN]!r}"
    )

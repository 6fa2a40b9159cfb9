"""Every case of the corpus: whole, cut at every position, octet by octet, and over sockets on every strategy."""

import json
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple
from urllib.parse import unquote

import pytest

from tests.corpus import cases
from tests.corpus.cases import Case, ExpectedRequest, Subject, subjects
from tests.http11.outcome import Outcome, Seen, cut, outcome
from tests.http11.telling import app
from tests.process import running
from tests.wire import Listening, exchange, replies
from wsgiraw import Server
from wsgiraw.http11 import Connection, Limits
from wsgiraw.strategies import STRATEGIES

VALID = cases.valid()
INVALID = cases.invalid()
WAITING = [case for case in VALID if case.interim]

SMALL = 600
"""Octets up to which a case is cut at every position."""

SAMPLES = 60
"""Cuts of a larger one."""


@pytest.mark.parametrize("subject", subjects(VALID + INVALID), ids=str)
def test_whole(subject: Subject) -> None:
    """In one piece, a case gives what its file says."""
    subject.each(lambda case: _check(case, outcome([case.octets])))


@pytest.mark.parametrize("subject", subjects(VALID + INVALID), ids=str)
def test_cut(subject: Subject) -> None:
    """The result is the same wherever the octets are cut, and when each arrives alone."""
    subject.each(_cut)


@pytest.mark.parametrize("case", WAITING, ids=str)
def test_interim(case: Case) -> None:
    """100 Continue is due once, when the head is complete and nothing of the body has come."""
    head = case.octets.index(b"\r\n\r\n", case.octets.lower().index(b"expect:")) + 4
    connection = Connection(Limits(), _no_file)
    connection.receive(case.octets[: head - 1])
    while connection.next_request() is not None:
        assert not connection.takes_continue()
    assert not connection.takes_continue(), "before the head is complete"
    connection.receive(case.octets[head - 1 : head])
    assert connection.next_request() is None
    assert connection.takes_continue()
    assert not connection.takes_continue(), "a second time"
    connection.receive(case.octets[head:])
    assert connection.next_request() is not None
    assert not connection.takes_continue(), "with the body"


@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")  # the validator knows a few
@pytest.mark.parametrize("subject", subjects(VALID), ids=str)
def test_valid_over_sockets(subject: Subject, server: Listening) -> None:
    """Sent in one go over a socket, each request reaches the application, and is answered in order."""
    subject.each(lambda case: _served_over_sockets(case, server))


@pytest.mark.parametrize("subject", subjects(INVALID), ids=str)
def test_invalid_over_sockets(subject: Subject, server: Listening) -> None:
    """The requests before the fault are answered, then comes the refusal: a line of plain text, and the end."""
    subject.each(lambda case: _refused_over_sockets(case, server))


def _cut(case: Case) -> None:
    whole = outcome([case.octets])
    size = len(case.octets)
    step = 1 if size <= SMALL else size // SAMPLES
    for position in range(1, size, step):
        assert outcome(cut(case.octets, position)) == whole, f"cut at {position}"
    assert outcome(bytes([octet]) for octet in case.octets) == whole, "octet by octet"


def _served_over_sockets(case: Case, server: Listening) -> None:
    answers = replies(exchange(server, case.octets), *[request.method for request in case.requests])
    final = [answer for answer in answers if answer.status != 100]
    assert [answer.status for answer in final] == [200] * len(case.requests)
    for answer, expected in zip(final, case.requests, strict=True):
        if expected.method != "HEAD":
            _check_environ(expected, json.loads(answer.body))


def _refused_over_sockets(case: Case, server: Listening) -> None:
    refused = "HEAD" if not case.requests and case.octets.startswith(b"HEAD ") else "GET"
    methods = [*(request.method for request in case.requests), refused]
    *answers, refusal = replies(exchange(server, case.octets), *methods)
    assert [answer.status for answer in answers if answer.status != 100] == [200] * len(case.requests)
    assert refusal.status == case.status
    assert refusal.field("Connection") == "close"
    assert refusal.field("Content-Type") == "text/plain; charset=utf-8"
    assert refusal.body.isascii()
    assert refusal.body.decode().rstrip("\n").isprintable()


def _no_file() -> BinaryIO:
    raise AssertionError("a small body goes to disk")


def _check(case: Case, found: Outcome) -> None:
    assert found.status == case.status
    assert len(found.requests) == len(case.requests)
    for seen, expected in zip(found.requests, case.requests, strict=True):
        _check_request(expected, seen)


def _check_request(expected: ExpectedRequest, seen: Seen) -> None:
    assert seen.method == expected.method
    assert seen.target == expected.target
    assert seen.version == _served(expected.version)
    assert unquote(seen.path, "latin-1") == expected.path
    assert seen.query == expected.query
    assert seen.fields == expected.fields
    assert seen.keep_alive == expected.keep_alive
    assert expected.has_body(seen.body)


def _served(version: str) -> str:
    return version if version == "HTTP/1.0" else "HTTP/1.1"  # RFC 9110 §2.5


def _check_environ(expected: ExpectedRequest, environ: dict[str, str]) -> None:
    assert environ["REQUEST_METHOD"] == expected.method
    assert environ["PATH_INFO"] == expected.path
    assert environ["QUERY_STRING"] == expected.query
    assert environ["RAW_URI"] == environ["REQUEST_URI"] == expected.target
    assert environ["SERVER_PROTOCOL"] == _served(expected.version)
    fields = {key: value for key, value in environ.items() if key.startswith(("HTTP_", "CONTENT_"))}
    assert fields == expected.fields
    assert expected.has_body(environ["body"].encode("latin-1"))


class Apart(NamedTuple):
    """A server in a process of its own."""

    port: int


@pytest.fixture(scope="module", params=STRATEGIES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    """One server for all cases, on each strategy; one that forks does so from a process that is smaller than ours."""
    if STRATEGIES[request.param].multiprocess:
        folder = tmp_path_factory.mktemp("apart")
        options = ("--port=0", "--workers=0", f"--strategy={request.param}")
        with running(folder, "tests.http11.telling:app", *options) as process:
            yield Apart(process.port())
            assert process.stop() == 0
    else:
        with Server(app, port=0, strategy=request.param) as server:
            yield server

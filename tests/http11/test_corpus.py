"""Every case of the corpus: whole, cut at every position, octet by octet, and over sockets on every strategy."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote
from wsgiref.validate import validator

import pytest

from tests.corpus import cases
from tests.corpus.cases import Case, ExpectedRequest
from tests.http11.outcome import Outcome, Seen, cut, outcome
from tests.wire import exchange, replies
from wsgiraw import Server
from wsgiraw.http11 import Connection, Limits
from wsgiraw.strategies import STRATEGIES

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

VALID = cases.valid()
INVALID = cases.invalid()
WAITING = [case for case in VALID if case.interim]

SMALL = 600
"""Octets up to which a case is cut at every position."""

SAMPLES = 60
"""Cuts of a larger one."""


@pytest.mark.parametrize("case", VALID + INVALID, ids=str)
def test_whole(case: Case) -> None:
    """In one piece, a case gives what its file says."""
    _check(case, outcome([case.octets]))


@pytest.mark.parametrize("case", VALID + INVALID, ids=str)
def test_cut(case: Case) -> None:
    """The result is the same wherever the octets are cut, and when each arrives alone."""
    whole = outcome([case.octets])
    size = len(case.octets)
    step = 1 if size <= SMALL else size // SAMPLES
    for position in range(1, size, step):
        assert outcome(cut(case.octets, position)) == whole, f"cut at {position}"
    assert outcome(bytes([octet]) for octet in case.octets) == whole, "octet by octet"


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
@pytest.mark.parametrize("case", VALID, ids=str)
def test_valid_over_sockets(case: Case, server: Server) -> None:
    """Sent in one go over a socket, each request reaches the application, and is answered in order."""
    answers = replies(exchange(server, case.octets), *[request.method for request in case.requests])
    final = [answer for answer in answers if answer.status != 100]
    assert [answer.status for answer in final] == [200] * len(case.requests)
    for answer, expected in zip(final, case.requests, strict=True):
        if expected.method != "HEAD":
            _check_environ(expected, json.loads(answer.body))


@pytest.mark.parametrize("case", INVALID, ids=str)
def test_invalid_over_sockets(case: Case, server: Server) -> None:
    """The requests before the fault are answered, then comes the refusal: a line of plain text, and the end."""
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


@pytest.fixture(scope="module", params=STRATEGIES)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """One server for all cases, on each strategy."""
    with Server(validator(_tell), port=0, strategy=request.param) as server:
        yield server


def _tell(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    told = {key: value for key, value in environ.items() if isinstance(value, str)}
    told["body"] = environ["wsgi.input"].read(-1).decode("latin-1")
    body = json.dumps(told).encode()
    # The validator hides that this is one piece, and HTTP/1.0 keeps a connection only for a body with a length.
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

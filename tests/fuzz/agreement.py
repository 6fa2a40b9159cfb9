"""Whether `wsgiraw.http11` does with octets what the model says, however they are cut."""

from collections.abc import Iterable

from tests.fuzz.model import judge
from tests.fuzz.verdict import End, Verdict
from tests.http11.outcome import Outcome, Seen, cut, outcome
from wsgiraw.errors import HTTPError
from wsgiraw.http11 import Limits, Request, split_head

__all__ = ["SMALL", "agree", "agree_on_head", "check", "expected"]

SMALL = Limits(head=200, request_line=40, fields=6, body=60, chunk_line=20, trailer=30, spool=16)
"""So low that a few octets reach each of them."""


def agree_on_head(octets: bytes) -> None:
    """Fail where a head gives anything but a request or an `HTTPError`."""
    try:
        Request(*split_head(octets))
    except HTTPError as error:
        if not (error.detail.isascii() and error.detail.isprintable()):
            raise AssertionError("a detail that is not one line of printable ASCII") from error


def agree(octets: bytes, positions: Iterable[int], limits: Limits) -> None:
    """Fail where a connection, fed in one piece, in pieces and octet by octet, and the model do not all agree."""
    whole = outcome([octets], limits)
    check(judge(octets, limits), whole)
    assert outcome(cut(octets, *positions), limits) == whole, "in pieces"
    assert outcome((octets[at : at + 1] for at in range(len(octets))), limits) == whole, "octet by octet"


def check(verdict: Verdict, found: Outcome) -> None:
    """Fail where this is not what came of a connection whose client has sent its last octet."""
    assert found.requests == expected(verdict)
    if verdict.end is End.REFUSED:
        assert found.status in verdict.statuses, verdict.statuses
    else:
        assert found.status == (400 if verdict.end is End.INCOMPLETE else None)


def expected(verdict: Verdict) -> list[Seen]:
    """Return what a gateway has to get."""
    return [
        Seen(
            request.method,
            request.target,
            request.version,
            request.path,
            request.query,
            request.fields,
            request.keep_alive,
            request.body,
        )
        for request in verdict.requests
    ]

"""The model says of every case of the corpus what its file says, so that it can be believed about other octets."""

import pytest

from tests.corpus import cases
from tests.corpus.cases import Case, Subject, subjects
from tests.fuzz.agreement import SMALL, agree
from tests.fuzz.model import judge
from tests.fuzz.verdict import End
from wsgiraw.http11 import Limits

SUBJECTS = subjects(cases.valid() + cases.invalid())
DRIPPED = 5000
"""Octets up to which a case is sent octet by octet here, too."""


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_says_what_the_file_says(subject: Subject) -> None:
    subject.each(_says_what_the_file_says)


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_agrees(subject: Subject) -> None:
    """The seeds of the fuzzer are without fault themselves, also where the limits are low."""
    subject.each(_agrees)


def _says_what_the_file_says(case: Case) -> None:
    verdict = judge(case.octets, Limits())
    assert [request.target for request in verdict.requests] == [request.target for request in case.requests]
    for request, expected in zip(verdict.requests, case.requests, strict=True):
        assert (request.method, request.query) == (expected.method, expected.query)
        assert request.fields == expected.fields
        assert request.keep_alive == expected.keep_alive
        assert expected.has_body(request.body)
    if verdict.end is End.REFUSED:
        assert case.status in verdict.statuses
    else:
        assert case.status == (400 if verdict.end is End.INCOMPLETE else None)


def _agrees(case: Case) -> None:
    if len(case.octets) <= DRIPPED:
        agree(case.octets, (), SMALL)

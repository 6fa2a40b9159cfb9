"""Answers are read in every framing, in whatever pieces they arrive; what is none is refused."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiraw.compare.generator.answers import Answer, Expected, Malformed, Reading

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: Chunked\r\n\r\n"
COMPLETE = {
    "length": (OK + b"content-length:5\r\n\r\nhello", b"hello", True),
    "no body": (OK + b"Content-Length: 0\r\n\r\n", b"", True),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    "not modified": (b"HTTP/1.1 304\r\nContent-Length: 5\r\n\r\n", b"", True),
    "close": (OK + b"Content-Length: 5\r\nConnection: x, Close\r\n\r\nhello", b"hello", False),
    "1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
    "1.0 keep-alive": (b"HTTP/1.0 200 \r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n\r\nhello", b"hello", True),
    "interim": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\n5", b"5", True),
    "chunks": (CHUNKED + b"2\r\nhe\r\n03 ; a=b\r\nllo\r\n0\r\n\r\n", b"hello", True),
    "trailers": (CHUNKED + b"5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n", b"hello", True),
}
UNTIL_CLOSE = OK + b"Connection: close\r\n\r\nhello"
MALFORMED = {
    "no status line": b"HTTP/2 200\r\n\r\n",
    "status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "unasked upgrade": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "no field": OK + b"nonsense\r\n\r\n",
    "space before the colon": OK + b"A : b\r\n\r\n",
    "line feed in a value": OK + b"A: b\nB: c\r\n\r\n",
    "length and chunks": OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "no number": OK + b"Content-Length: +1\r\n\r\n",
    "another coding": OK + b"Transfer-Encoding: gzip\r\n\r\n",
    "too much": OK + b"Content-Length: 1\r\n\r\n55",
    "no chunk size": CHUNKED + b"x\r\n",
    "long chunk size": CHUNKED + b"1" * 5000,
    "chunk without end": CHUNKED + b"1\r\n55\r\n",
    "too much behind chunks": CHUNKED + b"0\r\n\r\n5",
    "head without end": b"HTTP/1.1 200 OK\r\nA: " + b"a" * (1 << 20),
}


def pieces_of(octets: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(octets), *(cut % (len(octets) + 1) for cut in cuts)})
    return [octets[begin:end] for begin, end in pairwise(places)]


@given(st.sampled_from(sorted(COMPLETE)), st.lists(st.integers(0, 1000)))
def test_complete_with_the_last_octet(framing: str, cuts: list[int]) -> None:
    octets, body, persists = COMPLETE[framing]
    reading = Reading()
    *parts, last = pieces_of(octets, cuts)
    assert not any(reading.feed(part) for part in parts)
    assert not reading.ended()
    assert reading.feed(last)
    assert (reading.body, reading.persists, bytes(reading.octets)) == (body, persists, octets)


@given(st.lists(st.integers(0, 1000)))
def test_until_close(cuts: list[int]) -> None:
    reading = Reading()
    assert not any(reading.feed(part) for part in pieces_of(UNTIL_CLOSE, cuts))
    assert reading.ended()
    assert (reading.body, reading.persists) == (b"hello", False)


def test_head_has_no_body() -> None:
    reading = Reading(to_head=True)
    assert reading.feed(OK + b"Content-Length: 5\r\n\r\n")
    assert Answer(Expected(body=b"hello", to_head=True)).judge(reading) == ""


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed(case: str) -> None:
    with pytest.raises(Malformed):
        Reading().feed(MALFORMED[case])


@pytest.mark.parametrize(
    ("expected", "fault"),
    [
        (Expected(), ""),
        (Expected(body=b"hello"), ""),
        (Expected(body=b"hullo"), "wrong answer"),
        (Expected(status=404, body=b"hello"), "status 200"),
    ],
)
def test_judged_and_remembered_if_right(expected: Expected, fault: str) -> None:
    answer, reading = Answer(expected), Reading()
    reading.feed(COMPLETE["chunks"][0])
    assert answer.judge(reading) == fault
    assert answer.known == (None if fault else COMPLETE["chunks"][0])


def test_what_ends_a_connection_is_remembered_apart() -> None:
    answer, reading = Answer(Expected()), Reading()
    reading.feed(COMPLETE["close"][0])
    assert answer.judge(reading) == ""
    assert (answer.known, answer.closing) == (None, COMPLETE["close"][0])
    reading = Reading()
    reading.feed(UNTIL_CLOSE)
    assert answer.judge(reading) == ""
    assert (answer.known, answer.closing) == (None, COMPLETE["close"][0])  # where it ends, only the server knew

"""Each check can fail: servers with one fault each. And it accuses nobody of what a standard permits."""

import re

import pytest

from tests.compare.behaviour.broken import Fault, Talk, broken, held, ok
from tests.wire import PATIENCE
from wsgiraw.compare.behaviour.checks import CHECKS
from wsgiraw.compare.behaviour.subject import NoAnswer, Running, Subject

SHORT_PATIENCE = 0.3
"""Seconds that are waited for what does not come."""


def look(name: str, server: Running, patience: float) -> tuple[bool | None, str]:
    try:
        return CHECKS[name].look(Subject(server, patience))
    except NoAnswer as error:
        return False, str(error)


def says(*octets: bytes) -> Fault:
    """Answer the first requests of a connection so, whatever they are, and close."""

    def fault(talk: Talk) -> None:
        for answer in octets:
            talk.head()
            talk.say(answer)

    return fault


def says_all(octets: bytes) -> Fault:
    """Answer the first request of a connection so, and go on reading."""

    def fault(talk: Talk) -> None:
        talk.head()
        talk.say(octets)
        talk.wait()

    return fault


def short_then_next(talk: Talk) -> None:
    talk.head()
    talk.say(ok(bytes(1000))[:-1000] + b"short")
    talk.head()
    talk.say(ok(b"/next"))


def continue_then_answer(talk: Talk) -> None:
    talk.head()
    talk.say(b"HTTP/1.1 100 Continue\r\n\r\n")
    talk.say(ok(talk.body(5)[:3]))


def gives_up_at_the_end(talk: Talk) -> None:
    head = talk.head()
    if not talk.socket.recv(1):
        return
    talk.say(ok(held(head)))


def cuts_answers(talk: Talk) -> None:
    """Answer what is held in full, and of anything else the half; at SIGTERM go on."""
    talk.server.terminate = lambda: None  # type: ignore[method-assign]
    head = talk.head()
    talk.say(ok(held(head)) if b"/hold" in head else ok(bytes(1000))[:-500])


def drops_what_it_works_on(talk: Talk) -> None:
    while True:
        head = talk.head()
        talk.say(ok(held(head) if b"/hold" in head else head.split(b" ")[1]))


def never_calls(talk: Talk) -> None:
    talk.head()
    talk.say(ok(b"from a cache"))


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BY_CHUNKS = ok(b"abcdefg")
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
INJECTED = b"HTTP/1.1 200 OK\r\nX-Value: a%sX-Injected: yes\r\nContent-Length: 2\r\n\r\nok"
BAD = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
SPLITS = "splits at CR LF in a field, LF in a field, CR LF in a status"
PIPELINED = [ok(b"/first"), ok(b"/second"), ok(b"/third")]

ANSWERED = [
    ("pipelining", says(*PIPELINED), True, "3 in order"),
    ("pipelining", says(*PIPELINED[:1], *PIPELINED[:0:-1]), False, "another body for request 2"),
    ("pipelining", says(*PIPELINED[:2]), False, "2 of 3, then closes without an answer"),
    ("pipelining", says(PIPELINED[0], PIPELINED[1][:-3]), False, "another body for request 2"),
    ("pipelining", says(PIPELINED[0][:-30]), False, "closes in the middle of its answer"),
    ("pipelining", says(ok(b"/first", "Connection: close")), None, "closes after request 1"),
    ("pipelining", says(b"HTTP/1.0 200 OK\r\n\r\n/first"), None, "closes after request 1"),
    ("half-close", gives_up_at_the_end, False, "closes without an answer"),
    ("half-close", says(BAD), False, "400"),
    ("chunked-body", says(ok(b"abcdefg", "X-End-Known: yes")), True, "whole"),
    ("chunked-body", says(ok(b"abcdefg", "X-End-Known: no")), True, "whole, but frameworks cannot tell"),
    ("chunked-body", says(ok(b"")), False, "0 of 7 octets"),
    ("chunked-body", says(ok(b"3\r\nabc\r\n4\r\ndefg")), False, "b'3\\r\\nabc\\r\\n4\\r\\nd'..."),
    ("chunked-body", says(BAD), False, "400"),
    ("chunked-body", says(CHUNKED + b"3\r\nabc\r\n0\r\n\r\n"), False, "3 of 7 octets"),
    ("expect-continue", continue_then_answer, False, "100, then 200 and 3 of 5 octets"),
    ("expect-continue", says(ok(b"")), False, "200 instead"),
    ("expect-continue", says(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"), True, "417 instead"),
    ("head-no-body", says(ok(b"/path")), False, "5 octets of body"),
    ("head-no-body", says(ok(bytes(9))[:-9]), True, "no body"),
    ("head-no-body", says(BAD), False, "400"),
    ("bad-request", says(ok(b"")), False, "200"),
    ("bad-request", says(), False, "closes without an answer"),
    ("bad-request", says(b"Bad Request: it has no version\n"), False, "answers without a status line"),
    ("duplicate-length", says(ok(b"hello", "X-Content-Length: 5")), False, "200, reads 5 octets"),
    ("duplicate-length", says(ok(b"", "X-Content-Length: 5, 6")), False, "200, passes '5, 6' on"),
    ("duplicate-length", says(BAD), True, "400"),
    ("length-and-chunked", says(ok(b"3\r\na")), False, "200, reads 4 octets, by the length"),
    ("length-and-chunked", says(ok(b"abcd")), False, "200, by the chunks, cut at the length"),
    ("length-and-chunked", says(BY_CHUNKS), True, "200, by the chunks, closes"),
    ("length-and-chunked", says(BAD), True, "400"),
    ("response-splitting", says(INJECTED % b"\r\n"), False, SPLITS),
    ("response-splitting", says(INJECTED % b"\n"), False, SPLITS),
    ("response-splitting", says(INJECTED % b" "), True, "200 without it"),
    ("response-splitting", says(), True, "closes"),
    ("short-body", says(CUT + b"short"), True, "closes"),
    ("short-body", says(), True, "closes"),
    ("short-body", says(ok(b"short")), True, "200, of 5 octets"),
    ("short-body", says(BAD.replace(b"400", b"500")), True, "500, of 0 octets"),
]  # fmt: skip

SILENT = [
    ("pipelining", says_all(PIPELINED[0]), "1 of 3, then no answer"),
    ("chunked-body", says_all(CHUNKED + b"7\r\nabc"), "half an answer"),
    ("expect-continue", says_all(b""), "no 100"),
    ("expect-continue", says_all(b"HTTP/1.1 100 Continue\r\n\r\n"), "100, then no answer"),
    ("length-and-chunked", says_all(BY_CHUNKS), "200, by the chunks, keeps the connection"),
    ("short-body", says_all(b""), "no answer"),
    ("short-body", says_all(CUT + b"short"), "keeps the connection open"),
    ("short-body", short_then_next, "takes the next answer for the rest"),
    ("slow-request-beside", never_calls, "the application is not called"),
    ("sigterm", never_calls, "the application is not called"),
]


@pytest.mark.parametrize(("name", "fault", "good", "answer"), ANSWERED, ids=[f"{row[0]}: {row[3]}" for row in ANSWERED])
def test_what_is_answered_is_judged(name: str, fault: Fault, good: bool | None, answer: str) -> None:
    with broken(fault) as server:
        assert look(name, server, PATIENCE) == (good, answer)


@pytest.mark.parametrize(("name", "fault", "answer"), SILENT, ids=[f"{row[0]}: {row[2]}" for row in SILENT])
def test_what_is_not_answered_is_a_fault_after_a_while(name: str, fault: Fault, answer: str) -> None:
    with broken(fault) as server:
        good, found = look(name, server, SHORT_PATIENCE)
    assert good is False
    # What should have come before may have come too late on a busy machine: that ends in the same words.
    assert found.startswith(answer) or re.search(r"within 0\.3 s$", found)


@pytest.mark.parametrize(
    ("fault", "answer"),
    [(drops_what_it_works_on, r"loses ([1-4]) of \1 in work"), (cuts_answers, r"cuts [1-9][0-9]* answers")],
)
def test_what_sigterm_brings_about(fault: Fault, answer: str) -> None:
    with broken(fault) as server:
        good, found = look("sigterm", server, PATIENCE)
    assert good is False
    assert re.fullmatch(answer, found)


def test_where_nobody_listens_the_answer_says_so() -> None:
    with broken(says()) as server:
        pass
    assert look("bad-request", server, PATIENCE) == (False, "refuses connections")

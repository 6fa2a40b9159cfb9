"""The open loop asks at its own rate, and whoever could not be asked in time has waited since then."""

import math
import socket
import time

from tests.compare.generator.responding import GET, RIGHT, Treatment, always, latency_of, responding
from wsgiraw.compare.generator import generator
from wsgiraw.compare.generator.job import Job, Question
from wsgiraw.compare.percentiles import percentile
from wsgiraw.compare.results import Latency

QUESTIONS = [Question([GET], body=b"5")]


def stalls(connection: socket.socket) -> None:
    """Answer, but not within the first 100 ms of each second."""
    while connection.recv(65536):
        if (since := time.time() % 1) < 0.1:
            time.sleep(0.1 - since)
        connection.sendall(RIGHT)


def within(latency: Latency, percent: float) -> float:
    return percentile(latency.histogram, percent, sum(latency.errors.values()))


def test_a_stall_is_seen_in_full() -> None:
    """10 % of the requests fall into it and wait for its end, evenly up to 100 ms; two connections would hide that.

    In a closed loop only two of all requests had met it.
    """
    with responding(stalls) as port, generator() as ours:
        latency = ours.open_loop(port, QUESTIONS, 200.0, connections=2, seconds=2.0)
    assert (latency.sent, latency.answered, latency.errors) == (400, 400, {})
    assert sum(latency.histogram.values()) == 400
    assert within(latency, 50) < 50_000
    assert within(latency, 95) >= 40_000
    assert 75_000 <= within(latency, 99) <= within(latency, 100) < math.inf


def test_each_request_is_settled_once() -> None:
    with responding(always(RIGHT[:-1] + b"6")) as port:
        latency = latency_of(Job(port=port, questions=QUESTIONS, rate=400.0, seconds=0.1, connections=2))
    assert (latency.sent, latency.answered, latency.errors) == (40, 0, {"wrong answer": 40})
    assert within(latency, 1) == math.inf


def test_connection_per_request() -> None:
    answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n5"
    with responding(always(answer, times=1)) as port:
        latency = latency_of(Job(port=port, questions=QUESTIONS, rate=400.0, seconds=0.1, connections=2))
    assert (latency.answered, latency.errors) == (40, {})


def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    latency = latency_of(Job(port=port, questions=QUESTIONS, rate=100.0, seconds=0.1, connections=2))
    assert (latency.answered, latency.errors) == (0, {"refused": 10})


def test_what_was_never_sent_has_failed_too() -> None:
    """Two requests wait for an answer, eight for a connection."""
    with responding(lambda connection: connection.recv(1 << 20) and connection.recv(1) and None) as port:
        job = Job(port=port, questions=QUESTIONS, rate=100.0, seconds=0.1, connections=2, patience=0.05)
        latency = latency_of(job)
    assert (latency.sent, latency.answered, latency.errors) == (2, 0, {"timeout": 10})


def test_those_who_stall_have_sent_half_a_head_and_come_back() -> None:
    halves: list[bytes] = []

    def treat(connection: socket.socket) -> None:
        data = connection.recv(65536)
        if b"\r\n\r\n" not in data:
            halves.append(data)
            connection.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
            return
        connection.sendall(RIGHT)
        always(RIGHT)(connection)

    with responding(treat) as port:
        while len(halves) < 4:  # three, one of whom has come back
            halves.clear()
            job = Job(port=port, questions=QUESTIONS, rate=50.0, seconds=0.3, connections=2, stalled=3)
            latency = latency_of(job)
            assert (latency.answered, latency.errors, latency.stalled) == (15, {}, 3)
    assert all(half and GET.startswith(half) for half in halves)


def test_nobody_accepts() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        job = Job(port=port, questions=QUESTIONS, rate=50.0, seconds=0.1, connections=2, stalled=4, patience=0.05)
        latency = latency_of(job)
    assert (latency.answered, latency.errors) == (0, {"timeout": 5})


def test_idle_connections_that_end_are_no_error() -> None:
    """The first request of each connection is its last, and nobody has said so."""
    with responding(always(RIGHT, times=1)) as port:
        job = Job(port=port, questions=QUESTIONS, rate=20.0, seconds=0.2, connections=4)
        latency = latency_of(job)
    assert (latency.sent, latency.answered, latency.errors) == (4, 4, {})


def says_more(more: bytes) -> Treatment:
    """Answer one request, speak once more, and leave with the client."""

    def treat(connection: socket.socket) -> None:
        always(RIGHT, times=1)(connection)
        connection.sendall(more)
        connection.recv(65536)

    return treat


def test_octets_that_nobody_has_asked_for() -> None:
    with responding(says_more(b"surplus")) as port:
        latency = latency_of(Job(port=port, questions=QUESTIONS, rate=10.0, seconds=0.2, connections=1))
    assert "malformed" in latency.errors


def test_who_is_idle_may_be_told_so() -> None:
    with responding(says_more(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")) as port:
        job = Job(port=port, questions=QUESTIONS, rate=10.0, seconds=0.2, connections=1)
        while latency_of(job).errors:  # it was told only when it had asked again
            pass

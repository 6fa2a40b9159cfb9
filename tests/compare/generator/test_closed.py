"""The closed loop takes right answers in every framing, and counts all others by what is wrong with them."""

import itertools
import socket
import time

import pytest

from tests.compare.generator.responding import GET, RIGHT, Treatment, always, load_of, reset, responding
from wsgiraw.compare.generator.job import Question

OK = b"HTTP/1.1 200 OK\r\n"
LARGE = bytes(range(256)) * 4096
QUESTION = Question([GET], body=b"5")


def dated(connection: socket.socket) -> None:
    """Answer each request otherwise, but right."""
    for number in itertools.count():
        if not connection.recv(65536):
            return
        connection.sendall(OK + b"Content-Length: 1\r\nSet-Cookie: a=%d\r\n\r\n5" % number)


KEPT = {
    "at once": always(RIGHT),
    "head and body apart": always(RIGHT[:-1], RIGHT[-1:]),
    "octet by octet": always(*(bytes([octet]) for octet in RIGHT)),
    "never twice the same": dated,
    "chunked": always(OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n", b"5\r\n", b"0\r\n\r\n"),
}
LEFT = {
    "Connection: close": always(OK + b"Content-Length: 1\r\nConnection: close\r\n\r\n5", times=1),
    "1.0": always(b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", b"5", times=1),
    "until close": always(b"HTTP/1.0 200 OK\r\n\r\n", b"5", times=1),
}
WRONG = {
    "status 500": always(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 1\r\n\r\n5"),
    "wrong answer": always(RIGHT[:-1] + b"6"),
    "malformed": always(b"nonsense\r\n\r\n"),
    "closed": always(RIGHT[:-1], times=1),
    "reset": reset,
}


@pytest.mark.parametrize("way", KEPT)
def test_connections_are_kept(way: str) -> None:
    with responding(KEPT[way]) as port:
        load = load_of(port, QUESTION)
    assert (load.errors, load.connections) == ({}, 2)
    assert load.answered > 0
    assert load.seconds >= 0.05
    assert load.generator_busy > 0


@pytest.mark.parametrize("way", LEFT)
def test_who_is_left_comes_anew(way: str) -> None:
    with responding(LEFT[way]) as port:
        load = load_of(port, QUESTION)
    assert load.errors == {}
    assert load.answered <= load.connections <= load.answered + 2


@pytest.mark.parametrize("fault", WRONG)
def test_errors_are_counted(fault: str) -> None:
    with responding(WRONG[fault]) as port:
        load = load_of(port, QUESTION)
    assert load.answered == 0
    assert list(load.errors) == [fault]


def test_nobody_answers() -> None:
    with responding(lambda connection: connection.recv(1 << 20) and connection.recv(1) and None) as port:
        load = load_of(port, QUESTION, patience=0.05)
    assert (load.answered, load.errors, load.connections) == (0, {"timeout": 2}, 2)


def test_nobody_is_there() -> None:
    """It ends in time, and has not tried without a pause: each of two clients once in 10 ms."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    load = load_of(port, QUESTION, seconds=0.1)
    assert list(load.errors) == ["refused"]
    assert load.errors["refused"] <= 2 * 11
    assert load.connections == 0


def closes_unasked(connection: socket.socket) -> None:
    always(RIGHT, times=3)(connection)
    connection.recv(65536)


def test_a_connection_that_is_not_closed_as_announced() -> None:
    """Its last request is an error, not a new connection."""
    with responding(closes_unasked) as port:
        load = load_of(port, QUESTION, connections=1)
        while "closed" not in load.errors:
            load = load_of(port, QUESTION, connections=1, seconds=0.2)
    assert list(load.errors) == ["closed"]
    assert load.answered >= 3 * load.errors["closed"]


def echoing(connection: socket.socket) -> None:
    """Answer with the body of the request."""
    reader = connection.makefile("rb")
    while line := reader.readline():
        length = 0
        while line != b"\r\n":
            if line.startswith(b"Content-Length: "):
                length = int(line[16:])
            line = reader.readline()
        connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % length + reader.read(length))
    reader.close()


def test_large_bodies_both_ways() -> None:
    request = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE
    with responding(echoing) as port:
        load = load_of(port, Question([request], body=LARGE))
    assert load.errors == {}


def takes(octets: int, *, answer_first: bool) -> Treatment:
    """Answer one request after the other, each so long; perhaps before all of it has come."""

    def treat(connection: socket.socket) -> None:
        with connection.makefile("rb") as reader:
            while reader.read(1):
                if answer_first:
                    connection.sendall(RIGHT)
                reader.read(octets - 1)
                if not answer_first:
                    connection.sendall(RIGHT)

    return treat


@pytest.mark.parametrize("answer_first", [False, True])
def test_request_larger_than_what_the_kernel_takes(answer_first: bool) -> None:
    request = b"POST / HTTP/1.1\r\nContent-Length: 16777216\r\n\r\n" + LARGE * 16
    with responding(takes(len(request), answer_first=answer_first)) as port:
        load = load_of(port, Question([request], body=b"5"), connections=1)
    assert load.errors == {}


def test_nobody_accepts() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        load = load_of(listener.getsockname()[1], QUESTION, connections=8, patience=0.05)
    assert (load.answered, load.errors) == (0, {"timeout": 8})


def in_chunks() -> Treatment:
    pieces = [LARGE[place : place + 10_000] for place in range(0, len(LARGE), 10_000)]
    return always(
        OK + b"Transfer-Encoding: chunked\r\n\r\n",
        *(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces),
        b"0\r\n\r\n",
    )


@pytest.mark.parametrize(("body", "errors"), [(LARGE, []), (LARGE[:-1] + b"!", ["wrong answer"])])
def test_many_chunks(body: bytes, errors: list[str]) -> None:
    with responding(in_chunks()) as port:
        assert list(load_of(port, Question([GET], body=body)).errors) == errors


def by_path(connection: socket.socket) -> None:
    while data := connection.recv(65536):
        path = data.split(b" ", 2)[1]
        if path == b"/none":
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        else:
            body = b"" if data.startswith(b"HEAD") else path
            connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(path) + body)


def test_questions_take_turns() -> None:
    """Each has its own answer, whichever connection it is sent on."""
    questions = [
        Question([b"GET /a HTTP/1.1\r\nA: %d\r\n\r\n" % number for number in range(3)], body=b"/a"),
        Question([b"HEAD /long HTTP/1.1\r\n\r\n"], body=b"/long"),
        Question([b"GET /none HTTP/1.1\r\n\r\n"], status=404),
    ]
    with responding(by_path) as port:
        load = load_of(port, *questions, connections=2)
    assert load.errors == {}


def test_an_answer_when_the_time_is_over() -> None:
    """It does not count as throughput, but the server has worked for it."""

    def treat(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(RIGHT)
        connection.recv(65536)
        time.sleep(0.2)
        connection.sendall(RIGHT)

    with responding(treat) as port:
        load = load_of(port, QUESTION, connections=1, seconds=0.1)
    assert (load.answered, load.late, load.errors) == (1, 1, {})

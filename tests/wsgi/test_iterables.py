"""Every kind of iterable, streamed as it is made, and closed exactly once on every path (PEP 3333)."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tests.wire import PATIENCE, connect, exchange, read_all, replies
from tests.wsgi.applications import TEXT, Closing, answering, asked
from wsgiraw import Server

Serve = Callable[..., Server]
LARGE = bytes(range(256)) * 1024 * 2
"""More than is copied behind a head."""


class Indexed:
    """The old way to be iterable."""

    def __getitem__(self, index: int) -> bytes:
        return [b"in", b"", b"dexed"][index]


@pytest.mark.parametrize(
    ("result", "body", "length"),
    [
        (list, b"", "0"),
        (lambda: [b""], b"", "0"),
        (lambda: [b"a"], b"a", "1"),
        (lambda: [b"a", b"", b"b"], b"ab", "2"),
        (lambda: (b"a", b"b"), b"ab", "2"),
        (lambda: (), b"", "0"),
        (lambda: iter([b"a", b"b"]), b"ab", "2"),  # as Django's responses are
        (lambda: iter(()), b"", "0"),
        (lambda: [LARGE], LARGE, str(len(LARGE))),
        (lambda: [LARGE, b"x"], LARGE + b"x", str(len(LARGE) + 1)),
        (lambda: (piece for piece in [b"a", b"", b"b"]), b"ab", None),
        (lambda: (piece for piece in [b"", b""]), b"", "0"),
        (lambda: {b"a": 1}, b"a", None),
        (lambda: map(bytes, [[65], [], [66]]), b"AB", None),
        (lambda: Indexed(), b"indexed", None),
        (lambda: Closing([b"a", b"b"]), b"ab", None),
        (lambda: (piece for piece in [LARGE, LARGE]), LARGE + LARGE, None),
    ],
)
def test_kinds(serve: Serve, result: Callable[[], Iterable[bytes]], body: bytes, length: str | None) -> None:
    """What is all there gets a Content-Length, what is not is sent in chunks; the connection goes on."""
    octets = exchange(serve(answering(result, valid=False)), asked() + asked())
    answers = replies(octets)
    assert [answer.body for answer in answers] == [body, body]
    for answer in answers:
        assert answer.field("Content-Length") == length
        assert answer.field("Transfer-Encoding") == (None if length else "chunked")


def test_validated(serve: Serve) -> None:
    """Wsgiref's validator has no complaint about how a list and a generator are treated."""
    for result in (lambda: [b"a", b"b"], lambda: iter([b"ab"]), lambda: (piece for piece in [b"a", b"", b"b"])):
        answers = replies(exchange(serve(answering(result)), asked() + asked("POST", body=b"x")))
        assert [answer.body for answer in answers] == [b"ab", b"ab"]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "result",
    [
        lambda: ["text"],
        lambda: ["te", "xt"],
        lambda: [b"a", "b"],
        lambda: iter(["text"]),
        lambda: (piece for piece in ["text"]),
        lambda: (piece for piece in [None]),
        lambda: (piece for piece in [bytearray(b"x")]),
        lambda: [bytearray(b"x")],
        lambda: "text",
        lambda: b"octets",
        lambda: None,
        lambda: 5,
    ],
)
def test_what_is_no_body(serve: Serve, result: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> None:
    """Pieces are bytes and nothing else: 500 and a word in the log."""
    answers = replies(exchange(serve(answering(result, valid=False)), asked() + asked()))
    assert [answer.status for answer in answers] == [500, 500]
    assert len(caplog.records) == 2


@pytest.mark.usefixtures("here")
def test_each_piece_arrives_before_the_next_is_asked_for(serve: Serve) -> None:
    """PEP 3333 "Buffering and Streaming": the application waits for the client to have what it yielded."""
    read = threading.Semaphore(0)

    def pieces() -> Iterator[bytes]:
        for number in range(5):
            yield b"piece %d" % number
            assert read.acquire(timeout=PATIENCE), "the piece has not arrived"

    with connect(serve(answering(pieces))) as client:
        client.sendall(asked())
        received = b""
        for number in range(5):
            while b"7\r\npiece %d\r\n" % number not in received:
                data = client.recv(65536)
                assert data
                received += data
            read.release()
        while not received.endswith(b"0\r\n\r\n"):
            received += client.recv(65536)
        client.sendall(asked("GET", "/", "Connection: close"))
        read.release(5)
        assert read_all(client).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("method", "status", "version"),
    [
        ("GET", "200 OK", "HTTP/1.1"),
        ("GET", "200 OK", "HTTP/1.0"),
        ("HEAD", "200 OK", "HTTP/1.1"),
        ("GET", "304 Not Modified", "HTTP/1.1"),
        ("GET", "204 No Content", "HTTP/1.1"),
    ],
)
def test_closed_once(serve: Serve, method: str, status: str, version: str) -> None:
    """`close()` is called once whether there is a body to send or not."""
    results = [Closing([b"a", b"b"]), Closing([])]
    fields = TEXT if status == "200 OK" else []
    for result in results:
        exchange(
            serve(answering(lambda result=result: result, status, fields, valid=False)), asked(method, version=version)
        )
        result.wait()
        assert result.closed == 1


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("pieces", [[ValueError("first")], [b"a", ValueError("second")], ["text"], [b"a", "text"]])
def test_closed_once_after_a_fault(serve: Serve, pieces: list[Any], caplog: pytest.LogCaptureFixture) -> None:
    """`close()` is called when iterating failed, before the head and after it."""
    result = Closing(pieces)
    with connect(serve(answering(lambda: result, valid=False))) as client:
        client.sendall(asked("GET", "/", "Connection: close"))
        _read_to_any_end(client)
    result.wait()
    assert result.closed == 1
    assert caplog.records


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("error", [ValueError("in close"), SystemExit("in close")])
@pytest.mark.parametrize("pieces", [[b"a"], [ValueError("in iteration")]])
def test_close_that_fails(
    serve: Serve, error: BaseException, pieces: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The response is already sent: a traceback in the log, and the connection goes on."""
    results: list[Closing] = []

    def result() -> Closing:
        results.append(Closing(pieces, error))
        return results[-1]

    answers = replies(exchange(serve(answering(result, valid=False)), asked() + asked()))
    assert len(answers) == 2
    assert [closing.closed for closing in results] == [1, 1]
    assert caplog.text.count("close() failed") == 2


@pytest.mark.usefixtures("here")
def test_closed_when_not_asked_for_a_piece(serve: Serve) -> None:
    """A list that can be closed is closed, too."""

    class ClosingList(list[bytes]):
        closed = 0

        def close(self) -> None:
            type(self).closed += 1

    (answer,) = replies(exchange(serve(answering(lambda: ClosingList([b"a", b"b"]), valid=False)), asked()))
    assert answer.body == b"ab"
    assert ClosingList.closed == 1


@pytest.mark.usefixtures("here")
def test_closed_once_when_the_client_leaves(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A client that leaves mid-stream ends the iteration; nobody is at fault, so nothing is logged."""

    def endless() -> Iterator[bytes]:
        while True:
            yield LARGE

    result = Closing(endless())
    with connect(serve(answering(lambda: result))) as client:
        client.sendall(asked())
        assert client.recv(65536)
    result.wait()
    assert result.closed == 1
    assert not caplog.records


@pytest.mark.usefixtures("here")
def test_start_response_is_not_iterated_for_head(serve: Serve) -> None:
    """Of a generator, HEAD asks for no more than it takes to know the head."""
    asked_for = []

    def pieces() -> Iterator[bytes]:
        for number in range(9):
            asked_for.append(number)
            yield b"x"

    (answer,) = replies(exchange(serve(answering(pieces, valid=False)), asked("HEAD")), "HEAD")
    assert answer.status == 200
    assert asked_for == [0]


def _read_to_any_end(client: socket.socket) -> None:
    try:
        while client.recv(65536):
            pass
    except ConnectionResetError:
        pass

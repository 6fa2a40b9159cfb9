"""`wsgi.input`: a complete body, in memory or in a file, that ends by itself however it is read."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from wsgiref.validate import validator

import pytest

from tests.wire import connect, exchange, read_all, replies
from tests.wsgi.applications import TEXT, Told, asked
from wsgiraw import Server

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

Serve = Callable[..., Server]
LINES = b"first\nsecond\r\n\nlast"
SPOOL = 10_000
"""Octets kept in memory in these tests."""


def chunked(body: bytes, size: int) -> bytes:
    """Return a request with a chunked body."""
    head = asked("POST", "/", "Transfer-Encoding: chunked")
    pieces = [body[begin : begin + size] for begin in range(0, len(body), size)]
    return head + b"".join(b"%x;x=y\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nT: x\r\n\r\n"


def reading(read: Callable[[Any], object], body: bytes = LINES) -> Any:
    """Return an application that reads in one way and tells what it got."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        return [repr(read(environ["wsgi.input"])).encode()]

    return validator(application)


@pytest.mark.parametrize(
    ("read", "result"),
    [
        (lambda body: body.read(-1), LINES),
        (lambda body: body.read(1_000_000), LINES),
        (lambda body: (body.read(3), body.read(-1), body.read(1), body.read(-1)), (LINES[:3], LINES[3:], b"", b"")),
        (lambda body: body.readline(), b"first\n"),
        (lambda body: (body.readline(3), body.readline(100), body.readline(100)), (b"fir", b"st\n", b"second\r\n")),
        (lambda body: body.readlines(), LINES.splitlines(keepends=True)),
        (lambda body: body.readlines(1), [b"first\n"]),
        (lambda body: list(body), [b"first\n", b"second\r\n", b"\n", b"last"]),
        (lambda body: None, None),
    ],
)
@pytest.mark.parametrize("octets", [asked("POST", body=LINES), chunked(LINES, 4)], ids=["length", "chunked"])
@pytest.mark.parametrize("spool_bytes", [0, SPOOL])
def test_every_way_to_read(
    serve: Serve, read: Callable[[Any], object], result: object, octets: bytes, spool_bytes: int
) -> None:
    """read, readline, readlines and iteration, from memory and from a file; what is left unread harms nobody."""
    answers = replies(exchange(serve(reading(read), spool_bytes=spool_bytes), octets + octets))
    assert [answer.body.decode() for answer in answers] == [repr(result)] * 2


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("size", [1, SPOOL, SPOOL + 1, 3_000_000])
@pytest.mark.parametrize("in_chunks", [False, True])
def test_sizes(serve: Serve, size: int, in_chunks: bool) -> None:
    """Bodies around the size that is kept in memory, and one of many arrivals, are exact; CONTENT_LENGTH says so."""
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    told = Told()
    octets = chunked(body, 70_000) if in_chunks else asked("POST", body=body)
    answers = replies(exchange(serve(told, spool_bytes=SPOOL), octets + asked()))
    assert [answer.status for answer in answers] == [200, 200]
    assert told.bodies[0] == body
    assert told.environs[0]["CONTENT_LENGTH"] == str(size)
    assert "HTTP_TRANSFER_ENCODING" not in told.environs[0]
    assert told.bodies[1:] == [b""]


def test_input_without_body_reads_empty(serve: Serve) -> None:
    """Where there is no body, every way to read it says so."""
    server = serve(reading(lambda body: (body.read(5), body.readline(), body.readlines(), list(body))))
    (answer,) = replies(exchange(server, asked()))
    assert answer.body == b"(b'', b'', [], [])"


@pytest.mark.usefixtures("here")
def test_continue(serve: Serve) -> None:
    """A client that waits is told to go on once the head is acceptable, then answered."""
    told = Told()
    with connect(serve(told)) as client:
        client.sendall(asked("POST", "/", "Content-Length: 5", "Expect: 100-continue", "Connection: close"))
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert told.bodies == [], "the application was called without the body"
        client.sendall(b"hello")
        (answer,) = replies(read_all(client))
    assert answer.status == 200
    assert told.bodies == [b"hello"]


def test_no_continue_where_the_body_has_come(serve: Serve) -> None:
    """Nobody waits: no interim response (RFC 9110 §10.1.1)."""
    (answer,) = replies(exchange(serve(Told()), asked("POST", "/", "Expect: 100-continue", body=b"hello")))
    assert answer.status == 200


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["Content-Length: 11"], 413),
        (["Content-Length: x"], 400),
        (["Transfer-Encoding: chunked", "Content-Length: 5"], 400),
        (["Content-Length: 5", "Expect: x"], 417),
    ],
)
def test_no_continue_where_the_head_is_refused(serve: Serve, lines: list[str], status: int) -> None:
    """The refusal comes at once and alone; the body need not be sent."""
    with connect(serve(Told(), max_body_bytes=10)) as client:
        expect = [] if "Expect: x" in lines else ["Expect: 100-continue"]
        client.sendall(asked("POST", "/", *lines, *expect))
        (answer,) = replies(read_all(client))
    assert answer.status == status


@pytest.mark.parametrize("octets", [asked("POST", body=b"hello")[:-1], chunked(b"hello", 2)[:-2]])
def test_a_truncated_body_never_arrives(serve: Serve, octets: bytes) -> None:
    """400 to who still reads, and the application is not called."""
    told = Told()
    (answer,) = replies(exchange(serve(told), octets))
    assert answer.status == 400
    assert told.environs == []

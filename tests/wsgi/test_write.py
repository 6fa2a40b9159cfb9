"""`write()`: alone, before an iterable, to readers that are slow or gone (PEP 3333 "The write() Callable")."""

import tempfile
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from wsgiref.validate import validator

import pytest

from tests.wire import connect, exchange, read_all, replies
from tests.wsgi.applications import TEXT, asked, read_until_reset
from wsgiraw import Server

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Serve = Callable[..., Server]
Result = Callable[[], Iterable[bytes]]


def writing(
    pieces: list[bytes],
    result: Result = list,
    status: str = "200 OK",
    fields: list[tuple[str, str]] = TEXT,
    *,
    valid: bool = True,
) -> "WSGIApplication":
    """Return an application that writes pieces, then returns a result."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        write = start_response(status, fields)
        for piece in pieces:
            write(piece)
        return result()

    return validator(application) if valid else application


@pytest.mark.parametrize(
    ("pieces", "result", "body"),
    [
        ([b"a", b"b"], list, b"ab"),
        ([b"a", b"", b"b"], lambda: [b"c", b"", b"d"], b"abcd"),
        ([b"a"], lambda: (piece for piece in [b"b", b"", b"c"]), b"abc"),
        ([b"a"], lambda: iter([b"b"]), b"ab"),
        ([b""], lambda: [b"a"], b"a"),
        ([b""], list, b""),
        ([b"a" * 100_000], lambda: [b"b" * 100_000], b"a" * 100_000 + b"b" * 100_000),
    ],
)
@pytest.mark.parametrize("with_length", [False, True])
def test_written_before_what_is_returned(
    serve: Serve, pieces: list[bytes], result: Result, body: bytes, with_length: bool
) -> None:
    """What is written comes first, then what is returned, with a length or in chunks; the connection goes on."""
    fields = [("Content-Length", str(len(body))), *TEXT] if with_length else TEXT
    answers = replies(exchange(serve(writing(pieces, result, fields=fields)), asked() + asked()))
    assert [answer.body for answer in answers] == [body, body]


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", "200 OK"), ("GET", "304 Not Modified"), ("GET", "204 No Content")]
)
def test_written_where_there_is_no_body(serve: Serve, method: str, status: str) -> None:
    """The head goes out with the first piece, and nothing else does."""
    server = serve(writing([b"a", b"b"], lambda: [b"c"], status, [], valid=False))
    answers = replies(exchange(server, asked(method) * 2), method, method)
    assert [(answer.status, answer.body) for answer in answers] == [(int(status[:3]), b"")] * 2


def test_written_to_http_1_0(serve: Serve) -> None:
    """The end of the connection is the end of the body."""
    (answer,) = replies(exchange(serve(writing([b"a"], lambda: [b"b"])), asked(version="HTTP/1.0")))
    assert (answer.body, answer.field("Connection")) == (b"ab", "close")


def test_written_behind_pipelined_answers(serve: Serve) -> None:
    """What is written now does not overtake the answers that were gathered before."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        write = start_response("200 OK", TEXT)
        if environ["PATH_INFO"] == "/writes":
            write(b"written")
            return []
        return [b"returned"]

    octets = asked() * 3 + asked("GET", "/writes") + asked()
    bodies = [answer.body for answer in replies(exchange(serve(application), octets))]
    assert bodies == [b"returned"] * 3 + [b"written", b"returned"]


@pytest.mark.parametrize("spool_bytes", [512 * 1024, 64 * 1024 * 1024])
def test_written_to_a_slow_reader(serve: Serve, spool_bytes: int) -> None:
    """What the socket does not take waits in memory or on disk, and nothing is lost or mixed up."""
    pieces = [bytes([number]) * 100_000 for number in range(150)]
    server = serve(writing(pieces, lambda: [b"end"]), spool_bytes=spool_bytes)
    with connect(server) as client:
        client.sendall(asked() + asked("GET", "/", "Connection: close"))
        first, second = replies(read_all(client))
    assert first.body == second.body == b"".join(pieces) + b"end"


@pytest.mark.usefixtures("here")
def test_written_past_the_length(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """What is too much is cut and logged once."""
    fields = [("Content-Length", "3"), *TEXT]
    server = serve(writing([b"ab", b"cd", b"ef"], lambda: [b"gh"], fields=fields, valid=False))
    answers = replies(exchange(server, asked() + asked()))
    assert [answer.body for answer in answers] == [b"abc", b"abc"]
    assert caplog.text.count("longer than its Content-Length") == 2


@pytest.mark.usefixtures("here")
def test_written_short_of_the_length(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """The connection ends."""
    octets = exchange(serve(writing([b"ab"], fields=[("Content-Length", "3"), *TEXT], valid=False)), asked() * 2)
    assert octets.endswith(b"\r\n\r\nab")
    assert "shorter" in caplog.text


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("piece", ["text", None, bytearray(b"x")])
def test_what_cannot_be_written(serve: Serve, piece: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Pieces are bytes: before the head is sent that is 500."""
    (answer,) = replies(exchange(serve(writing([piece], valid=False)), asked()))
    assert answer.status == 500
    assert "not bytes" in caplog.text


@pytest.mark.usefixtures("here")
def test_a_fault_after_writing(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """The head is sent: the connection is cut."""

    def fail() -> Iterable[bytes]:
        raise LookupError

    with connect(serve(writing([b"a"], fail, valid=False))) as client:
        client.sendall(asked())
        read_until_reset(client)
    assert "LookupError" in caplog.text


def test_a_file_after_writing(serve: Serve) -> None:
    """A file behind written octets is read, for it must be framed like them."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", TEXT)(b"written ")
        file = tempfile.TemporaryFile()  # noqa: SIM115  # the server closes it
        file.write(b"read")
        file.seek(0)
        return environ["wsgi.file_wrapper"](file)  # type: ignore[no-any-return]

    answers = replies(exchange(serve(application), asked() * 2))
    assert [answer.body for answer in answers] == [b"written read"] * 2

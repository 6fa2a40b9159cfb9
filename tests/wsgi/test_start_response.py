"""`start_response`: once, lazily, and with exc_info before and after the head is sent (PEP 3333)."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from wsgiref.validate import validator

import pytest

from tests.wire import connect, exchange, read_all, replies
from tests.wsgi.applications import TEXT, answering, asked, read_until_reset
from wsgiraw import Server

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

Serve = Callable[..., Server]
FAILED = b"The application failed; its error log says why.\n"


def _cut(server: Server, octets: bytes) -> bytes:
    """Return what comes before the connection is reset."""
    with connect(server) as client:
        client.sendall(octets)
        return read_until_reset(client)


@pytest.mark.usefixtures("here")
def test_twice(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A second call without exc_info is a fault."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        start_response("201 Created", TEXT)
        return [b"never"]

    (answer,) = replies(exchange(serve(application), asked()))
    assert (answer.status, answer.body) == (500, FAILED)
    assert "second time" in caplog.text


def test_with_exc_info_before_the_head_is_sent(serve: Serve) -> None:
    """The new status and fields take the place of the old ones."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", [("X-Old", "x"), *TEXT])
        try:
            raise LookupError
        except LookupError:
            start_response("503 Service Unavailable", [("X-New", "y"), *TEXT], sys.exc_info())
        return [b"later"]

    (answer,) = replies(exchange(serve(validator(application)), asked()))
    assert (answer.status, answer.body) == (503, b"later")
    assert answer.field("X-New") == "y"
    assert answer.field("X-Old") is None


@pytest.mark.usefixtures("here")
def test_with_exc_info_after_the_head_is_sent(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """The exception comes back, so that the application stops; the connection is cut, so that the client can tell."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        yield b"sent"
        try:
            raise LookupError("in vain")
        except LookupError:
            start_response("503 Service Unavailable", TEXT, sys.exc_info())
        yield b"never"

    received = _cut(serve(application), asked())
    assert b"never" not in received
    assert not received.endswith(b"0\r\n\r\n")
    assert "LookupError: in vain" in caplog.text


@pytest.mark.usefixtures("here")
def test_with_empty_exc_info(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """`sys.exc_info()` outside of an except clause replaces what is not sent, and cannot replace what is."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        start_response("201 Created", TEXT, (None, None, None))
        yield b"sent"
        start_response("204 No Content", TEXT, (None, None, None))

    received = _cut(serve(application), asked())
    assert b"204" not in received
    assert "after the head was sent" in caplog.text


@pytest.mark.usefixtures("here")
def test_not_called(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """A body without a status is a fault, whatever kind of body it is."""
    bodies: list[Callable[[], Iterable[Any]]] = [
        lambda: [b"x"],
        list,
        lambda: iter(["x"]),
        lambda: (b"x" for _ in "x"),
    ]
    for body in bodies:
        caplog.clear()
        (answer,) = replies(exchange(serve(lambda environ, start_response, body=body: body()), asked()))
        assert (answer.status, answer.body) == (500, FAILED)
        assert "wsgiraw" in {record.name for record in caplog.records}


def test_called_late_by_a_generator(serve: Serve) -> None:
    """The head is sent with the first octets of body, so a generator may begin with start_response."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterator[bytes]:
        yield b""
        start_response("202 Accepted", TEXT)
        yield b""
        yield b"late"

    (answer,) = replies(exchange(serve(application), asked()))
    assert (answer.status, answer.body) == (202, b"late")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("status", "fields"),
    [
        ("nonsense", []),
        (200, []),
        (b"200 OK", []),
        ("200 OK\r\nX: y", []),
        ("200 \u20ac", []),
        ("200 OK", [("X", "a\r\nY: b")]),
        ("200 OK", [("X", "a\nb")]),
        ("200 OK", [("X", "\u20ac")]),
        ("200 OK", [("X", 5)]),
        ("200 OK", [("X y", "a")]),
        ("200 OK", [("X",)]),
        ("200 OK", [("Content-Length", "many")]),
        ("200 OK", [("Content-Length", "4"), ("Content-Length", "5")]),
        ("200 OK", None),
    ],
)
def test_what_cannot_be_sent(serve: Serve, status: object, fields: object, caplog: pytest.LogCaptureFixture) -> None:
    """A status or field that would split the response, or is none: 500, logged, and nothing of it on the wire."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response(status, fields)  # type: ignore[arg-type]
        return [b"body"]

    answers = replies(exchange(serve(application), asked() + asked()))
    assert [(answer.status, answer.body) for answer in answers] == [(500, FAILED)] * 2
    assert {name for name, _ in answers[0].fields} == {"content-type", "content-length", "date", "server"}
    assert len(caplog.records) == 2


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("error", [ValueError("oops"), SystemExit(3), RecursionError("deep")])
def test_exception_before_the_head(serve: Serve, error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """A plain 500, a traceback in the log, and the connection goes on."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/fails":
            raise error
        start_response("200 OK", TEXT)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else b"fine"]

    octets = asked("GET", "/fails") + asked("HEAD", "/fails") + asked()
    failed, without_body, fine = replies(exchange(serve(application), octets), "GET", "HEAD", "GET")
    assert (failed.status, failed.body) == (500, FAILED)
    assert failed.field("Content-Type") == "text/plain; charset=utf-8"
    assert (without_body.status, fine.body) == (500, b"fine")
    assert f"{type(error).__name__}: " in caplog.text
    assert "Traceback" in caplog.text
    assert type(error).__name__.encode() not in failed.body


@pytest.mark.usefixtures("here")
def test_exceptions_that_are_none(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """What derives from BaseException alone, as asyncio's CancelledError does, does not stop the server."""

    class Cancelled(BaseException):
        pass

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        raise Cancelled

    answers = replies(exchange(serve(application), asked() + asked()))
    assert [answer.status for answer in answers] == [500, 500]
    assert caplog.text.count("raise Cancelled\n") == 2


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("error", [ValueError("oops"), SystemExit(3)])
@pytest.mark.parametrize("fields", [TEXT, [("Content-Length", "9"), *TEXT]])
def test_exception_after_the_head(
    serve: Serve, error: BaseException, fields: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    """The connection is cut: a reset, and no end of body that a client could take for the whole."""

    def pieces() -> Iterator[bytes]:
        yield b"sent"
        raise error

    received = _cut(serve(answering(pieces, fields=fields, valid=False)), asked())
    assert not received.endswith(b"0\r\n\r\n")
    assert b"500" not in received
    assert "Traceback" in caplog.text


def test_fields_stay_with_their_response(serve: Serve) -> None:
    """Two fields of one name stay two, in order; names keep their case."""
    fields = [("Set-Cookie", "a=1"), ("set-COOKIE", "b=2"), ("X-Empty", ""), *TEXT]
    with connect(serve(answering(lambda: [b"x"], fields=fields))) as client:
        client.sendall(asked("GET", "/", "Connection: close"))
        received = read_all(client)
    assert b"\r\nSet-Cookie: a=1\r\nset-COOKIE: b=2\r\nX-Empty: \r\n" in received

"""Response heads: framing by request and status, fields that are ours, and what cannot go on the wire."""

import pytest

from wsgiraw.errors import ApplicationError
from wsgiraw.http11 import Request, response
from wsgiraw.http11.response import chunk, response_head

DATE = "Date: now\r\n"
SERVER = "Server: us\r\n"


def request(method: str = "GET", version: str = "HTTP/1.1", connection: str = "x") -> Request:
    """Return a request."""
    return Request(method, "/", version, {"HTTP_HOST": "a", "HTTP_CONNECTION": connection})


def head(
    asked: Request, status: str = "200 OK", fields: list[tuple[str, str]] | None = None, length: int | None = None
) -> tuple[list[str], int | None, bool, tuple[str, ...]]:
    """Return the head's lines, and what else `response_head` returns."""
    octets, size, chunked, dropped = response_head(asked, status, fields or [], length, DATE, SERVER)
    text = octets.decode("latin-1")
    assert text.endswith("\r\n\r\n")
    return text[:-4].split("\r\n"), size, chunked, dropped


def test_a_known_length() -> None:
    """Content-Length is added, behind the application's fields and before ours."""
    assert head(request(), fields=[("X", "y")], length=5) == (
        ["HTTP/1.1 200 OK", "X: y", "Content-Length: 5", "Date: now", "Server: us"],
        5,
        False,
        (),
    )


class Marked(str):
    """Text as a template engine has it."""

    __slots__ = ()

    def __str__(self) -> str:
        return "not this"

    def __format__(self, how: str) -> str:
        return "nor this"


def test_values_of_classes_derived_from_str() -> None:
    """They are the text that they hold; anything else is no text (PEP 3333 "The start_response() Callable")."""
    assert head(request(), fields=[("X", Marked("y"))], length=0)[0][1] == "X: y"
    with pytest.raises(ApplicationError, match="value of X is int, not str"):
        head(request(), fields=[("X", 5)])  # type: ignore[list-item]


def test_an_unknown_length() -> None:
    """Chunked to HTTP/1.1, closed after to HTTP/1.0, which gets no chunks even if it asks for keep-alive."""
    assert head(request())[0][1] == "Transfer-Encoding: chunked"
    assert head(request())[2]
    old = request(version="HTTP/1.0", connection="keep-alive")
    lines, size, chunked, _ = head(old)
    assert lines == ["HTTP/1.1 200 OK", "Date: now", "Server: us", "Connection: close"]
    assert (size, chunked, old.keep_alive) == (None, False, False)


def test_keep_alive_is_said_to_1_0() -> None:
    """HTTP/1.0 has to be told that the connection persists (RFC 9112 §9.3, §C.2.2)."""
    assert head(request(version="HTTP/1.0", connection="keep-alive"), length=0)[0][-1] == "Connection: keep-alive"
    assert head(request(version="HTTP/1.0"), length=0)[0][-1] == "Connection: close"


@pytest.mark.parametrize(
    ("method", "status", "fields", "length", "sent", "size"),
    [
        ("HEAD", "200 OK", [], 5, "5", 0),
        ("HEAD", "200 OK", [], 0, None, 0),  # the application left the body out: its size is not known
        ("HEAD", "200 OK", [], None, None, 0),
        ("HEAD", "200 OK", [("Content-Length", "7")], None, "7", 0),
        ("GET", "304 Not Modified", [], 0, None, 0),
        ("GET", "304 Not Modified", [("Content-Length", "7")], None, "7", 0),
        ("GET", "204 No Content", [], 0, None, 0),
        ("GET", "204 No Content", [("Content-Length", "0")], 0, None, 0),
        ("GET", "103 Early Hints", [("Content-Length", "0")], 0, None, 0),
        ("GET", "200 OK", [], 0, "0", 0),
        ("GET", "200 OK", [("content-length", "7")], 5, "7", 7),
        ("GET", "200 OK", [("Content-Length", "7"), ("content-length", "7")], None, "7", 7),
    ],
)
def test_framing(
    method: str, status: str, fields: list[tuple[str, str]], length: int | None, sent: str | None, size: int
) -> None:
    """RFC 9110 §6.4.1, §8.6: which responses have a body, and which say how long it is."""
    asked = request(method)
    lines, body, chunked, _ = head(asked, status, fields, length)
    found = [line.partition(": ")[2] for line in lines if line.lower().startswith("content-length:")]
    assert found == ([] if sent is None else [sent])
    assert (body, chunked) == (size, False)
    assert asked.keep_alive is not status.startswith("1")


def test_the_applications_own_date_and_server() -> None:
    """They take the place of ours."""
    lines, *_ = head(request(), fields=[("DATE", "then"), ("server", "mine")], length=0)
    assert lines == ["HTTP/1.1 200 OK", "DATE: then", "server: mine", "Content-Length: 0"]


def test_hop_by_hop_fields() -> None:
    """Fields of the connection are ours; that the application wants it closed is heard."""
    asked = request()
    fields = [("Keep-Alive", "x"), ("Transfer-Encoding", "chunked"), ("Connection", "upgrade"), ("UPGRADE", "x")]
    lines, _, _, dropped = head(asked, fields=fields, length=0)
    assert lines == ["HTTP/1.1 200 OK", "Content-Length: 0", "Date: now", "Server: us"]
    assert dropped == ("keep-alive", "transfer-encoding", "connection", "upgrade")
    assert asked.keep_alive
    assert head(asked, fields=[("connection", " Close ")], length=0)[0][-1] == "Connection: close"
    assert not asked.keep_alive


def test_a_status_without_reason() -> None:
    """The space before an absent reason phrase is required (RFC 9112 §4)."""
    assert head(request(), "299")[0][0] == "HTTP/1.1 299 "
    assert head(request(), "200 ")[0][0] == "HTTP/1.1 200 "


def test_latin_1_is_sent_as_it_is() -> None:
    """PEP 3333: native strings hold latin-1 octets."""
    octets, *_ = response_head(request(), "200 \xe9", [("X", "\xff")], 0, "", "")
    assert octets == b"HTTP/1.1 200 \xe9\r\nX: \xff\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        ("OK", []),
        ("20", []),
        ("2000 OK", []),
        ("200-OK", []),
        ("\xb2\xb2\xb2 OK", []),
        ("", []),
        ("200 OK\r\nX: y", []),
        ("200 \u20ac", []),
        ("200 OK", [("X", "a\r\nY: b")]),
        ("200 OK", [("X", "a\nY: b")]),
        ("200 OK", [("X", "a\r")]),
        ("200 OK", [("X", "a\x00")]),
        ("200 OK", [("X", "\u20ac")]),
        ("200 OK", [("X\r\nY", "b")]),
        ("200 OK", [("X Y", "b")]),
        ("200 OK", [("", "b")]),
        ("200 OK", [("X:", "b")]),
        ("200 OK", [("\xe9", "b")]),
        ("200 OK", [("Date", "\r\n\r\nbody")]),
        ("200 OK", [("Content-Length", "-1")]),
        ("200 OK", [("Content-Length", "1, 1")]),
        ("200 OK", [("Content-Length", "\xb2")]),
        ("200 OK", [("Content-Length", "1\r\n")]),
        ("200 OK", [("Content-Length", "1"), ("Content-Length", "2")]),
    ],
)
def test_refused(status: str, fields: list[tuple[str, str]]) -> None:
    """What would split a response, or cannot be sent at all, is the application's fault; also the second time."""
    for _ in range(2):
        with pytest.raises(ApplicationError):
            head(request(), status, fields)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and statuses that an application makes up do not fill the memory."""
    roles: dict[str, str] = {}
    status_lines: dict[str, str] = {}
    monkeypatch.setattr(response, "_roles", roles)
    monkeypatch.setattr(response, "_status_lines", status_lines)
    for number in range(1100):
        lines, *_ = head(request(), f"200 {number}", [(f"X-{number}", "a")], 0)
        assert lines[:2] == [f"HTTP/1.1 200 {number}", f"X-{number}: a"]
    assert len(roles) == len(status_lines) == 1024


def test_chunk() -> None:
    """RFC 9112 §7.1."""
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"

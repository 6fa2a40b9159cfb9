"""`split_head`: syntax of a head, the names it remembers, and those it drops. What the corpus cannot tell apart."""

import pytest

from wsgiraw.errors import HTTPError
from wsgiraw.http11 import head as head_module
from wsgiraw.http11 import split_head


def _detail(head: bytes) -> str:
    with pytest.raises(HTTPError) as raised:
        split_head(head)
    assert raised.value.status == 400
    return raised.value.detail


def test_parts() -> None:
    """A head becomes method, target, version and fields by their CGI names; values are latin-1 without OWS."""
    head = b"GET /a?b HTTP/1.1\r\nHost: a\r\nCONTENT-TYPE: text/plain\r\ncontent-length:5\r\nX-Name: \t caf\xe9 \t"
    assert split_head(head) == (
        "GET",
        "/a?b",
        "HTTP/1.1",
        {"HTTP_HOST": "a", "CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": "5", "HTTP_X_NAME": "caf\xe9"},
    )


def test_repeated_fields() -> None:
    """Lists are joined with a comma, cookies as one cookie-string (RFC 6265 §5.4)."""
    head = b"GET / HTTP/1.1\r\nAccept: a\r\nCookie: b=1\r\nAccept: c\r\nCookie: d=2\r\nAccept: e"
    assert split_head(head)[3] == {"HTTP_ACCEPT": "a, c, e", "HTTP_COOKIE": "b=1; d=2"}


def test_dropped_names() -> None:
    """What would alias another variable never arrives, whether met for the first time or remembered, however often."""
    head = b"GET / HTTP/1.1\r\nX_Dropped: a\r\nProxy: b\r\nX_Dropped: c\r\nHost: d"
    for _ in range(2):
        assert split_head(head)[3] == {"HTTP_HOST": "d"}


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        (b" folded: a", "line folding"),
        (b"\tfolded", "line folding"),
        (b"Accept : a", "white space between field name and colon"),
        (b"Accept\t: a", "white space between field name and colon"),
        (b"Accept", "without a colon"),  # a remembered name
        (b"Unknown-Name", "without a colon"),
        (b"", "without a colon"),
        (b": a", "illegal field name"),
        (b"a b: c", "illegal field name"),
        (b"\xe9: c", "illegal field name"),
        (b"a: \x00", "control character"),
        (b"a: \x7f", "control character"),
        (b"a: b\nc: d", "bare CR or LF"),
        (b"a: b\rc: d", "bare CR or LF"),
        (b"a: b\n\r", "bare CR or LF"),
        (b"Host: b", "more than one Host field"),
        (b"Referer: a\r\nReferer: a", "more than one Referer field"),
    ],
)
def test_refused_lines(line: bytes, detail: str) -> None:
    """The refusal says which rule was broken, and quotes nothing."""
    split_head(b"GET / HTTP/1.1\r\nAccept: a")
    assert detail in _detail(b"GET / HTTP/1.1\r\nHost: a\r\n" + line)


@pytest.mark.parametrize("line", [b"GET /", b"GET / HTTP/1.1 x", b"", b"GET  / HTTP/1.1"])
def test_refused_request_lines(line: bytes) -> None:
    """Three words, single spaces (RFC 9112 §3)."""
    assert "request line" in _detail(line)


def test_names_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that makes up names cannot fill the memory, and is served all the same."""
    remembered: dict[str, str] = {}
    monkeypatch.setattr(head_module, "_cgi_names", remembered)
    for number in range(1100):
        assert split_head(b"GET / HTTP/1.1\r\nX-%d: a" % number)[3] == {f"HTTP_X_{number}": "a"}
    assert len(remembered) == 1024


VISITOR = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: b\r\nAccept: c, \t d \r\n"
    b"Authorization: Basic e\r\nCookie: f\r\nReferer: g\r\nX-Api-Key: h"
)


def test_only_common_lines_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that differs from visitor to visitor or is somebody's secret, and nothing long."""
    remembered: dict[str, tuple[str, str]] = {}
    monkeypatch.setattr(head_module, "_lines", remembered)
    first = split_head(VISITOR)
    assert remembered == {
        "Host: a": ("HTTP_HOST", "a"),
        "User-Agent: b": ("HTTP_USER_AGENT", "b"),
        "Accept: c, \t d ": ("HTTP_ACCEPT", "c, \t d"),
    }
    assert split_head(VISITOR) == first
    split_head(b"GET / HTTP/1.1\r\nUser-Agent: " + b"x" * 250)
    assert len(remembered) == 3


def test_lines_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that makes up values cannot fill the memory, and is served all the same."""
    remembered: dict[str, tuple[str, str]] = {}
    monkeypatch.setattr(head_module, "_lines", remembered)
    for number in range(1100):
        assert split_head(b"GET / HTTP/1.1\r\nUser-Agent: %d" % number)[3] == {"HTTP_USER_AGENT": str(number)}
    assert len(remembered) == 1100 - 1024


def test_what_is_remembered_is_judged_as_before() -> None:
    """A line that came before is still refused where it stands twice, and does not lend its value to others."""
    split_head(b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: b")
    assert "more than one Host" in _detail(b"GET / HTTP/1.1\r\nHost: a\r\nHost: a")
    assert "more than one User-Agent" in _detail(b"GET / HTTP/1.1\r\nUser-Agent: b\r\nHost: a\r\nUser-Agent: c")
    assert split_head(b"GET / HTTP/1.1\r\nuser-agent: c")[3] == {"HTTP_USER_AGENT": "c"}

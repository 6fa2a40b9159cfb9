"""What a head means, where one head shows one rule; the corpus has the rest."""

import pytest

from wsgiraw.errors import HTTPError
from wsgiraw.http11 import Request


def request(method: str = "GET", target: str = "/", version: str = "HTTP/1.1", **fields: str) -> Request:
    """Return a request with a Host."""
    return Request(method, target, version, {"HTTP_HOST": "a", **fields})


@pytest.mark.parametrize(
    ("target", "path", "query", "host"),
    [
        ("/", "/", "", "a"),
        ("/a%20b?c?d", "/a%20b", "c?d", "a"),
        ("//a/b", "//a/b", "", "a"),
        ("http://b", "/", "", "b"),
        ("HTTPS://b:1/c?d", "/c", "d", "b:1"),
        ("http://b?d/e", "/", "d/e", "b"),
        ("http://[::1]:8000/x", "/x", "", "[::1]:8000"),
    ],
)
def test_targets(target: str, path: str, query: str, host: str) -> None:
    """Origin-form and absolute-form; the latter overrides Host (RFC 9112 §3.2.2)."""
    seen = request(target=target)
    assert (seen.path, seen.query, seen.fields["HTTP_HOST"], seen.target) == (path, query, host, target)


@pytest.mark.parametrize(
    ("version", "connection", "persists"),
    [
        ("HTTP/1.1", None, True),
        ("HTTP/1.1", "close", False),
        ("HTTP/1.1", "Upgrade , CLOSE", False),
        ("HTTP/1.1", "closed", True),
        ("HTTP/1.1", "keep-alive", True),
        ("HTTP/1.1", "keep-alive, close", False),
        ("HTTP/1.0", None, False),
        ("HTTP/1.0", "keep-alive", True),
        ("HTTP/1.0", "x, Keep-Alive", True),
        ("HTTP/1.0", "keep-alive, close", False),
        ("HTTP/1.2", None, True),
    ],
)
def test_persistence(version: str, connection: str | None, persists: bool) -> None:
    """RFC 9112 §9.3; Connection is a list, in any case."""
    fields = {} if connection is None else {"HTTP_CONNECTION": connection}
    assert request(version=version, **fields).keep_alive is persists


def test_framing() -> None:
    """A length, chunks, or no body; a decoded transfer coding is nobody's business any more."""
    assert not request().has_body
    assert not request(CONTENT_LENGTH="0").has_body
    assert request(CONTENT_LENGTH="007").content_length == 7
    chunked = request(HTTP_TRANSFER_ENCODING="Chunked")
    assert chunked.chunked
    assert chunked.has_body
    assert "HTTP_TRANSFER_ENCODING" not in chunked.fields


@pytest.mark.parametrize(
    ("version", "length", "expects"), [("HTTP/1.1", "1", True), ("HTTP/1.1", "0", False), ("HTTP/1.0", "1", False)]
)
def test_expectation(version: str, length: str, expects: bool) -> None:
    """100 Continue is for a body that is to come, and not for HTTP/1.0 (RFC 9110 §10.1.1)."""
    seen = request(version=version, CONTENT_LENGTH=length, HTTP_EXPECT="100-Continue")
    assert seen.expects_continue is expects


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({"version": "HTTP/1"}, 400),
        ({"version": "http/1.1"}, 400),
        ({"version": "HTTP/1.10"}, 400),
        ({"version": "HTTP/2.0"}, 505),
        ({"version": "HTTP/0.9"}, 505),
        ({"method": "G(T"}, 400),
        ({"method": ""}, 400),
        ({"method": "CONNECT", "target": "a:80"}, 501),
        ({"method": "CONNECT", "target": "/"}, 400),
        ({"target": "*"}, 400),
        ({"target": "a"}, 400),
        ({"target": "ftp://a/"}, 400),
        ({"target": "http:///"}, 400),
        ({"target": "http://u@a/"}, 400),
        ({"target": "/#a"}, 400),
        ({"target": "/\xe9"}, 400),
        ({"target": "/\t"}, 400),
        ({"HTTP_HOST": ""}, 400),
        ({"HTTP_HOST": "a b"}, 400),
        ({"HTTP_HOST": "u@a"}, 400),
        ({"HTTP_HOST": "[::1::]"}, 400),
        ({"HTTP_HOST": "a", "CONTENT_LENGTH": "1", "HTTP_TRANSFER_ENCODING": "chunked"}, 400),
        ({"HTTP_TRANSFER_ENCODING": "chunked", "version": "HTTP/1.0"}, 400),
        ({"HTTP_TRANSFER_ENCODING": "chunked, chunked"}, 400),
        ({"HTTP_TRANSFER_ENCODING": "gzip"}, 400),
        ({"HTTP_TRANSFER_ENCODING": ""}, 400),
        ({"HTTP_TRANSFER_ENCODING": ",chunked"}, 400),
        ({"HTTP_TRANSFER_ENCODING": "gzip, chunked"}, 501),
        ({"CONTENT_LENGTH": "+1"}, 400),
        ({"CONTENT_LENGTH": "1, 1"}, 400),
        ({"CONTENT_LENGTH": "\xb2"}, 400),  # a digit to str.isdigit
        ({"CONTENT_LENGTH": ""}, 400),
        ({"CONTENT_LENGTH": "0" * 20}, 413),
        ({"HTTP_EXPECT": "200-ok"}, 417),
    ],
)
def test_refused(parts: dict[str, str], status: int) -> None:
    """Each refusal has its status, and a detail that can be sent in a line."""
    with pytest.raises(HTTPError) as raised:
        request(**parts)
    assert raised.value.status == status
    assert raised.value.detail.isascii()
    assert raised.value.detail.isprintable()


def test_host_is_required_by_1_1_only() -> None:
    """RFC 9112 §3.2."""
    with pytest.raises(HTTPError, match="Host"):
        Request("GET", "/", "HTTP/1.1", {})
    assert Request("GET", "/", "HTTP/1.0", {}).fields == {}


def test_ip_literals_of_the_future() -> None:
    """IPvFuture is well-formed (RFC 3986 §3.2.2)."""
    assert request(HTTP_HOST="[v1.a:b]:80").fields["HTTP_HOST"] == "[v1.a:b]:80"

"""Sending clients to https: to the host they asked for, with the target they sent, and nowhere else."""

import io
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import Reply, exchange, replies
from tests.wsgi.applications import TEXT, asked
from wsgiraw import Server
from wsgiraw.clock import Clock
from wsgiraw.errors import HTTPError
from wsgiraw.http11 import Limits, Request, split_head
from wsgiraw.trust import TrustedPeers
from wsgiraw.wsgi import REDIRECT, Forwarding, Gateway, Health, Redirect

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

X = ("x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix")


def hello(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer without https."""
    start_response("200 OK", TEXT)
    return [b"hello"]


def asking(octets: bytes, port: str | None = "443", forwarding: Forwarding | None = None) -> Reply:
    """Return the reply to a head that came by an address with such a port for TLS; None: by one with TLS."""
    gateway = Gateway(
        Health(Redirect(hello), "/healthy", lambda: False),
        limits=Limits(),
        clock=Clock(),
        software="x",
        errors=io.StringIO(),
        forwarding=forwarding,
    )
    environ = gateway.connection_environ(("here", "80"), ("127.0.0.1", "4711"))
    if port is not None:
        environ[REDIRECT] = port
    request = Request(*split_head(octets.removesuffix(b"\r\n\r\n")))
    sent = b"".join(piece for piece in gateway.respond(request, environ, len) if isinstance(piece, bytes))
    (reply,) = replies(sent, request.method)
    return reply


@pytest.mark.parametrize(
    ("target", "host", "port", "location"),
    [
        ("/", "a", "443", "https://a/"),
        ("/x/../y?q=%0d%0a&r", "example.com", "443", "https://example.com/x/../y?q=%0d%0a&r"),
        ("/", "a:8080", "443", "https://a/"),
        ("/", "a:", "443", "https://a/"),
        ("/", "a", "8443", "https://a:8443/"),
        ("/", "a:8080", "8443", "https://a:8443/"),
        ("/", "[::1]", "443", "https://[::1]/"),
        ("/", "[::1]:80", "8443", "https://[::1]:8443/"),
        ("//evil.example/", "a", "443", "https://a//evil.example/"),
        ("/@evil.example", "a", "443", "https://a/@evil.example"),
        ("http://b:80/x?y", "a", "443", "https://b/x?y"),
        ("HTTP://b", "a", "443", "https://b"),
        ("http://b?y", "a", "443", "https://b?y"),
        ("https://b//evil.example", "a", "443", "https://b//evil.example"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "BREW"])
def test_location(method: str, target: str, host: str, port: str, location: str) -> None:
    """The same URL with https, and a method that stays the same (RFC 9110 §15.4.9)."""
    reply = asking(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(), port)
    assert (reply.status, reply.field("Location")) == (308, location)
    assert reply.body == (b"" if method == "HEAD" else b"only https is served here\n")


def test_asterisk() -> None:
    """The URI of `OPTIONS *` has no path (RFC 9112 §3.2.4)."""
    reply = asking(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "8443")
    assert (reply.status, reply.field("Location")) == (308, "https://a:8443")


def test_nobody_else() -> None:
    """Who has TLS is answered, and so is whoever asks for health."""
    assert asking(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", None).body == b"hello"
    assert asking(b"GET /healthy HTTP/1.1\r\nHost: a\r\n\r\n").body == b"ok\n"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_without_host(method: str) -> None:
    """There is nowhere to send to."""
    reply = asking(f"{method} / HTTP/1.0\r\n\r\n".encode())
    assert (reply.status, reply.field("Location")) == (400, None)
    assert (b"add 'Host: name'" in reply.body) == (method == "GET")


def test_behind_a_proxy() -> None:
    """The host and prefix that a trusted proxy names; nothing where it says that the client has TLS."""
    believing = Forwarding(TrustedPeers(["127.0.0.1"]), X)
    fields = "Host: a\r\nX-Forwarded-Host: b:8080\r\nX-Forwarded-Prefix: /caf%C3%A9\r\nX-Forwarded-Proto: "
    octets = f"GET /x HTTP/1.1\r\n{fields}http\r\n\r\n".encode()
    assert asking(octets, forwarding=believing).field("Location") == "https://b/caf%C3%A9/x"
    assert asking(octets).field("Location") == "https://a/x"
    octets = octets.replace(b": http\r", b": https\r")
    assert asking(octets, forwarding=believing).body == b"hello"
    assert asking(octets).status == 308


TEXTS = st.text(st.characters(max_codepoint=0xFF, exclude_characters="\r\n"), max_size=12)
TARGETS = st.sampled_from(["/", "//", "http://", "https://", "http://a", "/\\", "@", "?", "*"])


@given(st.tuples(TARGETS, TEXTS).map("".join), TEXTS | st.sampled_from(["a", "a:1", "[::1]:2"]))
def test_anything(target: str, host: str) -> None:
    """Whatever is asked, the Location is one line and leads to the host that was asked for, or there is none."""
    head = f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1")
    try:
        reply = asking(head, "8443")
    except HTTPError:
        return
    location = reply.field("Location")
    assert location is not None
    named = host if target.startswith("/") else target.partition("://")[2].partition("/")[0].partition("?")[0]
    name = named if named.endswith("]") else named.rpartition(":")[0] or named
    assert location.startswith(f"https://{name}:8443")
    assert location.removeprefix(f"https://{name}:8443")[:1] in ("", "/", "?")


def test_over_sockets(serve: Callable[..., Server]) -> None:
    """One connection may be redirected many times; a body is read before."""

    def by_the_other_address(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return Redirect(hello)({**environ, REDIRECT: "8443"}, start_response)

    octets = asked("POST", "/x?y", body=b"hello") + asked("HEAD") + asked("OPTIONS", "*")
    found = replies(exchange(serve(by_the_other_address), octets), "POST", "HEAD", "OPTIONS")
    assert [reply.status for reply in found] == [308] * 3
    assert [reply.field("Location") for reply in found] == ["https://a:8443/x?y", "https://a:8443/", "https://a:8443"]

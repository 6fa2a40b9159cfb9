"""Requests over TLS: what the application is told of the connection, versions, ALPN, framings, persistence."""

import hashlib
import re
import ssl
import urllib.request
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Serve
from tests.strategies.applications import GET, hello, read_reply
from tests.tls.certificates import Authority
from tests.tls.clients import Trust
from tests.tls.conftest import Secure
from tests.wire import Reply, read_all, replies
from tests.wsgi.applications import TEXT, Told, asked
from wsgiraw.strategies import STRATEGIES

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

CLOSE = "Connection: close"
BODY = bytes(range(256)) * 20_000
"""5 MB: spooled, and in many records of TLS."""


@pytest.fixture(params=STRATEGIES)
def strategy(request: pytest.FixtureRequest) -> str:
    """Each strategy in turn."""
    return str(request.param)


def told(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Say what the application is told of TLS, and that it is told nothing of a client's certificate."""
    names = ("wsgi.url_scheme", "HTTPS", "SERVER_PORT", "SSL_PROTOCOL", "SSL_CIPHER", "SSL_CLIENT_VERIFY")
    lines = [f"{name}={environ.get(name)}" for name in names]
    lines += [name for name in environ if name.startswith("SSL_CLIENT_") and name != "SSL_CLIENT_VERIFY"]
    start_response("200 OK", TEXT)
    return ["\n".join(lines).encode()]


def digest(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer with the length and the digest of the body."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", TEXT)
    return [b"%d %s" % (len(body), hashlib.sha256(body).hexdigest().encode())]


def ask(secure: Secure, trust: Trust, octets: bytes) -> Reply:
    (reply,) = replies(trust.exchange(secure(digest), octets), "POST")
    return reply


def test_what_the_application_is_told(secure: Secure, trust: Trust, version: str) -> None:
    server = secure(told)
    with trust.connect(server, trust.context(version)) as client:
        client.sendall(asked("GET", "/", CLOSE))
        (reply,) = replies(read_all(client))
        assert reply.body.decode().split("\n") == [
            "wsgi.url_scheme=https",
            "HTTPS=on",
            f"SERVER_PORT={server.port}",
            f"SSL_PROTOCOL={version}",
            f"SSL_CIPHER={client.cipher()[0]}",  # type: ignore[index]
            "SSL_CLIENT_VERIFY=NONE",
        ]


def test_without_tls_nothing_of_it_is_told(serve: Serve) -> None:
    with urllib.request.urlopen(serve(told).url) as response:
        said = response.read().decode()
    assert re.sub("SERVER_PORT=.*\n", "", said).split("\n") == [
        "wsgi.url_scheme=http",
        "HTTPS=None",
        "SSL_PROTOCOL=None",
        "SSL_CIPHER=None",
        "SSL_CLIENT_VERIFY=None",
    ]


def test_a_client_cannot_pretend(secure: Secure, trust: Trust) -> None:
    """Fields become HTTP_*: none of them gets near what we say of the connection."""
    application = Told()
    fields = ("Https: off", "Ssl-Client-Verify: SUCCESS", "SSL_CLIENT_VERIFY: SUCCESS", CLOSE)
    with trust.connect(secure(lambda *given: application(*given), lint=False)) as client:
        client.sendall(asked("GET", "/", *fields))
        assert replies(read_all(client))[0].status == 200
    for environ in application.environs:  # none on forking, where they are the child's
        assert (environ["HTTPS"], environ["SSL_CLIENT_VERIFY"]) == ("on", "NONE")


def test_the_url_works(secure: Secure, trust: Trust) -> None:
    server = secure(hello)
    assert server.url == f"https://127.0.0.1:{server.port}"
    with urllib.request.urlopen(server.url + "/x", context=trust.context()) as response:
        assert response.read() == b"hello /x"


@pytest.mark.parametrize("old", ["TLSv1", "TLSv1.1"])
def test_old_versions_are_refused(secure: Secure, trust: Trust, old: str) -> None:
    with pytest.raises(ssl.SSLError, match="alert protocol version"):
        trust.connect(secure(hello), trust.context(old))


def test_the_oldest_version_can_be_chosen(secure: Secure, trust: Trust) -> None:
    server = secure(hello, tls_minimum="1.3")
    with pytest.raises(ssl.SSLError, match="alert protocol version"):
        trust.connect(server, trust.context("TLSv1.2"))
    (reply,) = replies(trust.exchange(server, asked("GET", "/", CLOSE), trust.context("TLSv1.3")))
    assert reply.status == 200


def test_ciphers_can_be_chosen(secure: Secure, trust: Trust) -> None:
    server = secure(hello, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256")
    with trust.connect(server, trust.context("TLSv1.2")) as client:
        assert client.cipher()[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"  # type: ignore[index]
    others = trust.context("TLSv1.2")
    others.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    with pytest.raises(ssl.SSLError, match="handshake failure"):
        trust.connect(server, others)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (("http/1.1",), "http/1.1"),
        (("h2", "http/1.1"), "http/1.1"),
        ((), None),
        # RFC 7301 §3.2 demands an alert, which Python's ssl cannot send: it goes on as if ALPN had not been offered.
        (("h2",), None),
    ],
)
def test_alpn(secure: Secure, trust: Trust, offered: tuple[str, ...], chosen: str | None) -> None:
    with trust.connect(secure(hello), trust.context(protocols=offered)) as client:
        assert client.selected_alpn_protocol() == chosen
        client.sendall(asked("GET", "/", CLOSE))
        assert replies(read_all(client))[0].status == 200


def test_the_connection_persists(secure: Secure, trust: Trust, version: str) -> None:
    with trust.connect(secure(hello), trust.context(version)) as client, client.makefile("rb") as stream:
        for path in ("/1", "/2", "/3"):
            client.sendall(asked("GET", path))
            assert read_reply(stream).body == f"hello {path}".encode()


def test_pipelined_requests_are_answered_in_order(secure: Secure, trust: Trust) -> None:
    """More than 32, and more than one record: nothing that has been decrypted already is forgotten."""
    octets = b"".join(asked("GET", f"/{number}", "X: " + "x" * 400) for number in range(100))
    answered = replies(trust.exchange(secure(hello), octets + asked("GET", "/last", CLOSE)))
    assert [reply.body for reply in answered] == [b"hello /%d" % number for number in range(100)] + [b"hello /last"]


def test_requests_in_records_of_one_octet(secure: Secure, trust: Trust) -> None:
    with trust.connect(secure(digest)) as client:
        for octet in asked("POST", "/", CLOSE, body=b"abc"):
            client.sendall(bytes([octet]))
        (reply,) = replies(read_all(client))
    assert reply.body.startswith(b"3 ")


def test_a_large_body(secure: Secure, trust: Trust) -> None:
    reply = ask(secure, trust, asked("POST", "/", CLOSE, body=BODY))
    assert reply.body.decode() == f"{len(BODY)} {hashlib.sha256(BODY).hexdigest()}"


def test_a_large_body_in_chunks(secure: Secure, trust: Trust) -> None:
    chunks = [BODY[at : at + 60_000] for at in range(0, len(BODY), 60_000)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    reply = ask(secure, trust, asked("POST", "/", CLOSE, "Transfer-Encoding: chunked") + framed)
    assert reply.body.decode() == f"{len(BODY)} {hashlib.sha256(BODY).hexdigest()}"


def test_100_continue(secure: Secure, trust: Trust) -> None:
    with trust.connect(secure(digest)) as client:
        client.sendall(asked("POST", "/", CLOSE, "Content-Length: 3", "Expect: 100-continue"))
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        (reply,) = replies(read_all(client))
    assert reply.body.startswith(b"3 ")


def test_head(secure: Secure, trust: Trust) -> None:
    octets = asked("HEAD", "/x") + asked("GET", "/y", CLOSE)
    first, second = replies(trust.exchange(secure(hello), octets), "HEAD", "GET")
    assert (first.field("Content-Length"), first.body, second.body) == ("8", b"", b"hello /y")


def test_what_is_malformed_is_refused_over_tls_too(secure: Secure, trust: Trust) -> None:
    (reply,) = replies(trust.exchange(secure(hello), b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"))
    assert (reply.status, reply.field("Connection")) == (400, "close")


def test_health_path(secure: Secure, trust: Trust) -> None:
    (reply,) = replies(trust.exchange(secure(hello, health_path="/up"), asked("GET", "/up", CLOSE)))
    assert reply.status == 200


def test_an_access_log_has_the_client(secure: Secure, trust: Trust, tmp_path, authority: Authority) -> None:  # type: ignore[no-untyped-def]
    server = secure(hello, access_logfile=str(tmp_path / "log"))
    trust.exchange(server, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    server.close()
    assert re.match(r'127\.0\.0\.1 - - \[.*\] "GET / HTTP/1\.1" 200 7 ', (tmp_path / "log").read_text())

"""Client certificates: who is let in, and what the application is told of them, by the names of Apache's mod_ssl."""

import json
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.strategies.applications import Happened
from tests.strategies.waiting import eventually
from tests.tls.certificates import Authority, Certificate
from tests.tls.clients import BROKEN_OFF, Trust
from tests.tls.conftest import Secure
from tests.wire import read_all, replies
from tests.wsgi.applications import TEXT, asked
from wsgiraw import Server

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

REFUSED = "alert (certificate required|handshake failure)"
NAMES = ["S_DN", "I_DN", "M_SERIAL", "V_START", "V_END", "CERT"]
ODD_NAMES = {
    "comma": "Eve,O=Admins",
    "slash": "Eve/O=Admins",
    "line ends": "Eve\r\nX-Admin: yes\n\nbody",
    "control": "Eve\x00\x01\x1b[31m\x7f\x85",
    "not ASCII": "Ève Ωmega 🦊",
    "separators of lines": "Eve\u2028\u2029\u0085",
    "right to left": "\u202eevE",
    "quotes": '"Eve" <eve@example.org>; \\ + = #',
    "spaces": "  Eve  ",
    "percent": "%s%n%(x)s{0}",
}


class Guarded:
    """Answers with what environ has of the client's certificate; counts its calls."""

    def __init__(self) -> None:
        self.called = Happened()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        self.called.set()
        found = {name: value for name, value in environ.items() if name.startswith("SSL_CLIENT_")}
        start_response("200 OK", TEXT)
        return [json.dumps(found).encode()]


def told(server: Server, trust: Trust, certificate: Certificate | None, version: str | None = None) -> dict[str, str]:
    """Return what the application is told of a client with a certificate."""
    octets = trust.exchange(
        server, asked("GET", "/", "Connection: close"), trust.context(version, certificate=certificate)
    )
    (reply,) = replies(octets)
    assert reply.status == 200
    found = json.loads(reply.body)
    assert isinstance(found, dict)
    return found


def name_of(certificate: Certificate) -> str:
    """Return its subject as RFC 4514 writes it, = not escaped, its octets as latin-1 (PEP 3333 "Unicode Issues")."""
    return certificate.x509.subject.rfc4514_string().encode().decode("latin-1")


@pytest.fixture
def guarded() -> Guarded:
    return Guarded()


def test_nobody_is_asked_by_default(secure: Secure, authority: Authority, trust: Trust, guarded: Guarded) -> None:
    for certificate in (None, authority.client):
        assert told(secure(guarded), trust, certificate) == {"SSL_CLIENT_VERIFY": "NONE"}


@pytest.mark.parametrize("how", ["optional", "required"])
def test_what_is_told_of_a_certificate(
    secure: Secure, authority: Authority, trust: Trust, guarded: Guarded, version: str, how: str
) -> None:
    server = secure(guarded, client_certs=how, ca_certs=authority.certfile)
    found = told(server, trust, authority.client, version)
    decoded = ssl._ssl._test_decode_cert(authority.client.certfile)  # type: ignore[attr-defined]
    assert found == {
        "SSL_CLIENT_VERIFY": "SUCCESS",
        "SSL_CLIENT_S_DN": name_of(authority.client),
        "SSL_CLIENT_I_DN": authority.name.rfc4514_string(),
        "SSL_CLIENT_M_SERIAL": authority.client.serial,
        "SSL_CLIENT_V_START": decoded["notBefore"],
        "SSL_CLIENT_V_END": decoded["notAfter"],
        "SSL_CLIENT_CERT": found["SSL_CLIENT_CERT"],
    }
    assert found["SSL_CLIENT_S_DN"].startswith("CN=Alice,OU=")
    assert found["SSL_CLIENT_CERT"].strip() == authority.client.pem.strip()
    assert "\n\n" not in found["SSL_CLIENT_CERT"]


def test_optional_lets_in_who_has_none(
    secure: Secure, authority: Authority, trust: Trust, guarded: Guarded, version: str
) -> None:
    server = secure(guarded, client_certs="optional", ca_certs=authority.certfile)
    assert told(server, trust, None, version) == {"SSL_CLIENT_VERIFY": "NONE"}


def test_required_refuses_who_has_none(
    secure: Secure, authority: Authority, trust: Trust, guarded: Guarded, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In TLS 1.3 the client learns it when it reads."""
    server = secure(guarded, client_certs="required", ca_certs=authority.certfile)
    for _ in range(3):
        with pytest.raises(ssl.SSLError, match=REFUSED), trust.connect(server, trust.context(version)) as client:
            client.recv(1)
    assert told(server, trust, authority.client, version)["SSL_CLIENT_VERIFY"] == "SUCCESS"
    assert guarded.called.take() == 1
    server.close()
    assert caplog.records == []


def test_who_asks_at_once_is_refused_too(
    secure: Secure, authority: Authority, trust: Trust, guarded: Guarded, version: str
) -> None:
    server = secure(guarded, client_certs="required", ca_certs=authority.certfile)
    with pytest.raises(BROKEN_OFF):
        trust.exchange(server, asked("GET", "/", "Connection: close") * 20, trust.context(version))
    assert not guarded.called.wait(0)


@pytest.mark.parametrize("how", ["optional", "required"])
@pytest.mark.parametrize("whose", ["a stranger's", "expired"])
def test_certificates_that_do_not_hold_are_refused(
    secure: Secure,
    authority: Authority,
    stranger: Authority,
    trust: Trust,
    guarded: Guarded,
    version: str,
    how: str,
    whose: str,
) -> None:
    certificate = stranger.client if whose == "a stranger's" else authority.issue("bob@example.org", expired=True)
    server = secure(guarded, client_certs=how, ca_certs=authority.certfile)
    alert = "alert unknown ca" if whose == "a stranger's" else "alert certificate expired"
    with (
        pytest.raises(ssl.SSLError, match=alert),
        trust.connect(server, trust.context(version, certificate=certificate)) as client,
    ):
        client.recv(1)
    assert not guarded.called.wait(0)


@pytest.mark.parametrize("odd", ODD_NAMES)
def test_odd_names_harm_nobody(
    secure: Secure, authority: Authority, trust: Trust, guarded: Guarded, odd: str, tmp_path: Path
) -> None:
    """They are the word of an authority that may have copied whatever it was given."""
    name = ODD_NAMES[odd]
    certificate = authority.issue("eve@example.org", common_name=name, organization_name=f"{name} Ltd")
    log = tmp_path / "log"
    server = secure(guarded, client_certs="required", ca_certs=authority.certfile, access_logfile=str(log))
    for _ in range(2):
        found = told(server, trust, certificate)
        assert sorted(found) == sorted(["SSL_CLIENT_VERIFY", *(f"SSL_CLIENT_{name}" for name in NAMES)])
        for value in found.values():
            assert type(value) is str
            value.encode("latin-1")  # PEP 3333 "Unicode Issues"
        said = found["SSL_CLIENT_S_DN"]
        assert not any(ord(character) < 0x20 or ord(character) == 0x7F for character in said)
        assert "Eve,O=Admins" not in said  # it would be another organization
        assert not said.endswith(" ")
        if odd in ("comma", "not ASCII", "quotes", "percent", "right to left", "separators of lines"):
            assert said.replace(r"\=", "=") == name_of(certificate)  # which RFC 4514 §2.4 leaves to us
        assert found["SSL_CLIENT_M_SERIAL"] == certificate.serial
    eventually(lambda: len(log.read_text().splitlines()) == 2)


def test_with_lint(secure: Secure, authority: Authority, trust: Trust, guarded: Guarded) -> None:
    """The validator of wsgiref finds nothing."""
    certificate = authority.issue("eve@example.org", common_name=ODD_NAMES["not ASCII"])
    server = secure(guarded, client_certs="required", ca_certs=authority.certfile, lint=True)
    assert told(server, trust, certificate)["SSL_CLIENT_S_DN"] == name_of(certificate)


def test_on_a_connection_that_persists(secure: Secure, authority: Authority, trust: Trust, guarded: Guarded) -> None:
    server = secure(guarded, client_certs="optional", ca_certs=authority.certfile)
    octets = asked("GET", "/") * 3 + asked("GET", "/", "Connection: close")
    with trust.connect(server, trust.context(certificate=authority.client)) as client:
        client.sendall(octets)
        answered = replies(read_all(client))
    assert len(answered) == 4
    assert len({reply.body for reply in answered}) == 1

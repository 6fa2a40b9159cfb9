"""SNI (RFC 6066 §3): which certificate a client gets, by the name that it asks for."""

import ssl

import pytest

from tests.strategies.applications import hello
from tests.tls.certificates import Authority, Certificate
from tests.tls.clients import Trust, hello_of_client
from tests.tls.conftest import Secure
from tests.wire import connect, read_all, replies
from tests.wsgi.applications import asked
from wsgiraw import Server


@pytest.fixture(scope="session")
def several(authority: Authority) -> list[Certificate]:
    """Certificates: of localhost, of two names, of everything below one, of one below that, of an IDN."""
    names = [
        ("localhost",),
        ("one.example", "two.example"),
        ("*.example.org",),
        ("exact.example.org",),
        ("café.example",),
    ]
    return [authority.issue(*some) for some in names]


@pytest.fixture
def server(secure: Secure, several: list[Certificate]) -> Server:
    """A server with all of them."""
    return secure(hello, certfile=[one.certfile for one in several], keyfile=[one.keyfile for one in several])


@pytest.fixture
def lenient(trust: Trust, version: str) -> ssl.SSLContext:
    """A client that takes any certificate of the authority, whatever its names."""
    context = trust.context(version)
    context.check_hostname = False
    return context


def test_the_certificate_is_the_one_of_the_name(
    server: Server, trust: Trust, several: list[Certificate], lenient: ssl.SSLContext
) -> None:
    numbers = {
        "localhost": 0,
        "one.example": 1,
        "two.example": 1,
        "TWO.Example": 1,
        "www.example.org": 2,
        "exact.example.org": 3,
        "xn--caf-dma.example": 4,
        "unknown.example": 0,
        "example.org": 0,  # a wildcard stands for one label (RFC 9525 §6.3)
        "a.b.example.org": 0,
        "org": 0,
    }
    for name, number in numbers.items():
        assert trust.serial(server, name, lenient) == several[number].serial, name


def test_who_names_nobody_gets_the_first(server: Server, trust: Trust, several: list[Certificate]) -> None:
    """An address is no name (RFC 6066 §3): Python's ssl sends none."""
    context = trust.context()
    context.check_hostname = False
    assert trust.serial(server, "127.0.0.1", context) == several[0].serial


def test_each_name_is_served(server: Server, trust: Trust) -> None:
    for name in ("localhost", "one.example", "www.example.org"):
        with trust.connect(server, name=name) as client:
            client.sendall(asked("GET", "/x", "Connection: close"))
            assert replies(read_all(client))[0].body == b"hello /x"


def test_what_holds_for_one_name_holds_for_all(
    secure: Secure, several: list[Certificate], authority: Authority, trust: Trust, version: str
) -> None:
    """No name is a way around client certificates, ALPN or the oldest version."""
    server = secure(
        hello,
        certfile=[one.both for one in several],
        keyfile=[],
        client_certs="required",
        ca_certs=authority.certfile,
    )
    for name in ("localhost", "one.example"):
        with trust.connect(
            server, trust.context(version, certificate=authority.client, protocols=("http/1.1",)), name=name
        ) as client:
            assert client.selected_alpn_protocol() == "http/1.1"
        with (
            pytest.raises(ssl.SSLError, match="alert"),
            trust.connect(server, trust.context(version), name=name) as client,
        ):
            client.recv(1)
        with pytest.raises(ssl.SSLError, match="alert protocol version"):
            trust.connect(server, trust.context("TLSv1.1"), name=name)


def test_a_session_of_one_name_is_none_of_another(server: Server, trust: Trust, version: str) -> None:
    """Resumed or not (OpenSSL decides): it is served, and with TLS 1.3 not as somebody else."""
    context = trust.context(version)
    with trust.connect(server, context, name="localhost") as client:
        client.sendall(asked("GET", "/", "Connection: close"))
        read_all(client)
        session = client.session
    with trust.connect(server, context, name="one.example", session=session) as client:
        client.sendall(asked("GET", "/", "Connection: close"))
        assert replies(read_all(client))[0].status == 200


@pytest.mark.parametrize("octets", [b"\xff" * 9, b"local\0ost", b"." * 9, b"*.e.test.", b"\r\n\r\n\r\n\r\n\r"])
def test_names_that_are_none_harm_nobody(
    server: Server, trust: Trust, octets: bytes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with connect(server) as client:
        client.sendall(hello_of_client(trust.context()).replace(b"localhost", octets))
        client.settimeout(None)
        assert client.recv(1) in (b"\x15", b"\x16")  # an alert, or a ServerHello
    assert trust.serial(server)
    server.close()
    assert caplog.records == []
    assert capfd.readouterr().err == ""

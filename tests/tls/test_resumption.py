"""Sessions are resumed (RFC 8446 §2.2, RFC 5077), whichever process answers. The contexts are made before the fork."""

import ssl
from pathlib import Path

import pytest

from tests.strategies.applications import hello, read_reply
from tests.tls.certificates import Authority
from tests.tls.clients import Trust
from tests.tls.command_line import site_of
from tests.tls.conftest import Secure
from tests.wire import read_all, replies
from tests.wsgi.applications import asked
from wsgiraw import Server

TIMES = 12


def visit(
    trust: Trust, server: Server | int, context: ssl.SSLContext, session: ssl.SSLSession | None = None, **options: str
) -> tuple[bool, ssl.SSLSession | None]:
    """Ask once; return whether the session was resumed, and the one to go on with (in TLS 1.3 it comes afterwards)."""
    with trust.connect(server, context, session=session, **options) as client:
        client.sendall(asked("GET", "/", "Connection: close"))
        assert replies(read_all(client))[0].status == 200
        return bool(client.session_reused), client.session


def assert_resumed(trust: Trust, server: Server | int, context: ssl.SSLContext) -> None:
    reused, session = visit(trust, server, context)
    assert not reused
    for _ in range(TIMES):
        assert session is not None
        reused, session = visit(trust, server, context, session)
        assert reused


def test_sessions_are_resumed(secure: Secure, trust: Trust, version: str) -> None:
    assert_resumed(trust, secure(hello), trust.context(version))


def test_without_tickets_too(secure: Secure, trust: Trust, strategy: str) -> None:
    """Sessions that the server keeps (RFC 5246 §F.1.4). A process for each connection cannot keep any."""
    if strategy == "forking":
        pytest.skip("what a child keeps ends with it")
    context = trust.context("TLSv1.2")
    context.options |= ssl.OP_NO_TICKET
    assert_resumed(trust, secure(hello), context)


def test_a_session_that_nobody_knows_does_no_harm(secure: Secure, trust: Trust, version: str) -> None:
    context = trust.context(version)
    _, session = visit(trust, secure(hello), context)
    reused, _ = visit(trust, secure(hello), context, session)
    assert not reused


def test_sessions_for_several_names(secure: Secure, authority: Authority, trust: Trust, version: str) -> None:
    other = authority.issue("other.example")
    server = secure(hello, certfile=[authority.server.both, other.both], keyfile=[])
    for name in ("localhost", "other.example"):
        context = trust.context(version)
        _, session = visit(trust, server, context, name=name)
        for _ in range(3):
            reused, session = visit(trust, server, context, session, name=name)
            assert reused


def test_a_client_certificate_is_known_on_resumed_connections(
    secure: Secure, authority: Authority, trust: Trust, version: str
) -> None:
    def who(environ, start_response):  # type: ignore[no-untyped-def]
        start_response("200 OK", [])
        return [f"{environ['SSL_CLIENT_VERIFY']} {environ['SSL_CLIENT_M_SERIAL']}".encode()]

    server = secure(who, client_certs="required", ca_certs=authority.certfile)
    context = trust.context(version, certificate=authority.client)
    session: ssl.SSLSession | None = None
    for _ in range(3):
        with trust.connect(server, context, session=session) as client, client.makefile("rb") as stream:
            client.sendall(asked("GET", "/"))
            assert read_reply(stream).body.decode() == f"SUCCESS {authority.client.serial}"
            assert client.session_reused == (session is not None)
            session = client.session


@pytest.mark.parametrize("workers", [1, 2])
def test_whichever_worker_answers(
    authority: Authority, trust: Trust, version: str, workers: int, tmp_path: Path
) -> None:
    (tmp_path / "pid.py").write_text(
        "import os\ndef app(environ, start_response):\n"
        "    start_response('200 OK', [('Connection', 'close')])\n    return [b'%d' % os.getpid()]\n"
    )
    with site_of(tmp_path, "pid:app", authority.server, f"--workers={workers}") as site:
        context, session = trust.context(version), None
        answered = set()
        for number in range(500):
            with trust.connect(site.port, context, session=session) as client:
                client.sendall(asked("GET", "/", "Connection: close"))
                answered.add(replies(read_all(client))[0].body)
                assert client.session_reused == (number > 0)
                session = session or client.session
            if number >= TIMES and len(answered) == workers:
                break
        assert len(answered) == workers
        assert site.process.stop() == 0

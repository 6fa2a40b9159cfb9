"""Records that take work and bring nothing: key updates, empty ones, renegotiation. Bounded, and others are served."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.apps.conftest import absent
from tests.strategies.applications import GET, hello, read_reply
from tests.tls.certificates import Authority
from tests.tls.clients import Records, Trust
from tests.tls.conftest import Secure
from tests.tls.sealing import Sealing
from tests.wire import replies
from tests.wsgi.applications import asked
from wsgiraw import Server

MOST = 5_000
"""Records without data that no client has a reason to send."""


@pytest.fixture
def openssl() -> str:
    """The program."""
    return shutil.which("openssl") or absent("openssl")


@pytest.fixture
def sealed(trust: Trust, tmp_path: Path) -> Iterator[list[Records]]:
    """Where clients are put that are to be closed."""
    clients: list[Records] = []
    yield clients
    for client in clients:
        client.socket.close()


def sealing(server: Server, trust: Trust, tmp_path: Path, clients: list[Records]) -> tuple[Records, Sealing]:
    """Connect; return the client, which can read on, and what seals what it sends."""
    keylog = tmp_path / f"keys{len(clients)}"
    client = Records(server, trust.context("TLSv1.3", keylog=keylog)).handshake()
    clients.append(client)
    cipher = client.tls.cipher()
    assert cipher is not None
    return client, Sealing(keylog, cipher[0])


def ended(client: socket.socket, records: Iterable[bytes]) -> bool:
    """Send records without reading; return whether the server ends the connection because of them."""
    try:
        for record in records:
            client.sendall(record)
        client.settimeout(1)
        while client.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def test_some_key_updates_are_all_right(secure: Secure, trust: Trust, tmp_path: Path, sealed: list[Records]) -> None:
    client, seal = sealing(secure(hello), trust, tmp_path, sealed)
    for _ in range(5):
        client.socket.sendall(seal.key_update() + seal.record(GET))
        assert read_reply(client).status == 200  # type: ignore[arg-type]


def test_a_flood_of_key_updates_is_ended(
    secure: Secure, trust: Trust, tmp_path: Path, sealed: list[Records], strategy: str
) -> None:
    """Each costs us two keys and an answer that waits for the client to read it."""
    server = secure(hello)
    client, seal = sealing(server, trust, tmp_path, sealed)
    assert ended(client.socket, (seal.key_update() for _ in range(MOST)))
    assert replies(trust.exchange(server, asked("GET", "/", "Connection: close")))[0].status == 200


def test_a_flood_within_a_request_is_ended(secure: Secure, trust: Trust, tmp_path: Path, sealed: list[Records]) -> None:
    client, seal = sealing(secure(hello), trust, tmp_path, sealed)
    client.socket.sendall(seal.record(GET[:9]))
    assert ended(client.socket, (seal.key_update() for _ in range(MOST)))


def test_a_flood_of_empty_records_is_ended(secure: Secure, trust: Trust, tmp_path: Path, sealed: list[Records]) -> None:
    """They are allowed (RFC 8446 §5.1), to hide how much is said."""
    server = secure(hello)
    client, seal = sealing(server, trust, tmp_path, sealed)
    assert ended(client.socket, (seal.record(b"") for _ in range(MOST)))
    assert replies(trust.exchange(server, asked("GET", "/", "Connection: close")))[0].status == 200


@pytest.mark.parametrize("strategy", ["handoff", "eventloop", "pooled", "threaded", "forking"])
def test_others_are_served_meanwhile(secure: Secure, trust: Trust, tmp_path: Path, sealed: list[Records]) -> None:
    server = secure(hello)
    over = threading.Event()

    def flood() -> None:
        while not over.is_set():
            client, seal = sealing(server, trust, tmp_path, sealed)
            ended(client.socket, (seal.key_update() for _ in range(MOST)))

    flooding = threading.Thread(target=flood)
    with trust.connect(server) as client, client.makefile("rb") as stream:
        flooding.start()
        for _ in range(50):
            client.sendall(GET)
            assert read_reply(stream).status == 200
        over.set()
        flooding.join()


def test_a_record_that_was_tampered_with_ends_it(
    secure: Secure, trust: Trust, tmp_path: Path, sealed: list[Records], caplog: pytest.LogCaptureFixture
) -> None:
    server = secure(hello)
    client, seal = sealing(server, trust, tmp_path, sealed)
    record = bytearray(seal.record(GET))
    record[-1] ^= 1
    assert ended(client.socket, [bytes(record)])
    server.close()
    assert caplog.records == []


def s_client(openssl: str, server: Server, authority: Authority, *options: str) -> "subprocess.Popen[bytes]":
    """Start `openssl s_client`, whose single letters on lines of their own are commands."""
    line = [openssl, "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", authority.certfile, *options]
    return subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_s_client_updates_keys(secure: Secure, authority: Authority, openssl: str) -> None:
    server = secure(hello)
    with s_client(openssl, server, authority, "-tls1_3") as client:
        assert client.stdin is not None
        assert client.stdout is not None
        read_until(client.stdout, b"Verify return code: 0 (ok)\n")
        for command in (b"k\n", b"K\n"):
            client.stdin.write(command)
            client.stdin.flush()
            read_until(client.stdout, b"KEYUPDATE\n")
        client.stdin.write(asked("GET", "/x", "Connection: close"))
        client.stdin.flush()
        read_until(client.stdout, b"\r\n\r\nhello /x")


def test_nothing_is_renegotiated(secure: Secure, authority: Authority, trust: Trust, openssl: str) -> None:
    """TLS 1.2 would let a client ask for one handshake after the other."""
    server = secure(hello, head_timeout=3600)
    with s_client(openssl, server, authority, "-tls1_2", "-msg") as client:
        assert client.stdin is not None
        assert client.stdout is not None
        read_until(client.stdout, b"Verify return code: 0 (ok)\n")
        client.stdin.write(b"R\n")
        client.stdin.flush()
        read_until(client.stdout, b"warning no_renegotiation\n")
        client.kill()  # it would wait


def read_until(stream: object, end: bytes) -> bytes:
    octets = b""
    while not octets.endswith(end):
        octet = stream.read(1)  # type: ignore[attr-defined]
        assert octet, octets
        octets += octet
    return octets

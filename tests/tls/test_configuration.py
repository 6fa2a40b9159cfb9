"""Certificates, keys, passwords and authorities that cannot be used: one sentence at the start, and no traceback."""

import os
import pty
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.process import SITE, command, environment, write_site
from tests.strategies.applications import hello
from tests.strategies.waiting import eventually
from tests.tls.certificates import Authority
from tests.tls.clients import Trust
from tests.tls.conftest import Secure
from tests.wire import PATIENCE, replies
from tests.wsgi.applications import asked
from wsgiraw import ConfigError, Server

ASKED = asked("GET", "/", "Connection: close")
PASSWORD = "correct horse, battery ü staple"

Options = dict[str, object]


def _password(folder: Path, text: str) -> str:
    (folder / "password").write_text(text)
    return str(folder / "password")


def _garbage(folder: Path) -> str:
    (folder / "garbage").write_bytes(b"\x00\xff no PEM at all\n")
    return str(folder / "garbage")


def _broken(authority: Authority, folder: Path) -> str:
    """Return a certificate that has been cut short."""
    (folder / "broken").write_text(authority.server.pem[:200] + "\n-----END CERTIFICATE-----\n")
    return str(folder / "broken")


FAULTS: dict[str, tuple[Callable[[Authority, Path], Options], str]] = {
    "no such certificate": (lambda authority, folder: {"certfile": [f"{folder}/none"]}, "none"),
    "no such key": (
        lambda authority, folder: {**authority.server.options, "keyfile": [f"{folder}/none"]},
        "none",
    ),
    "a folder": (lambda authority, folder: {"certfile": [str(folder)]}, "certfile"),
    "no PEM": (lambda authority, folder: {"certfile": [_garbage(folder)]}, "garbage"),
    "a broken certificate": (
        lambda authority, folder: {**authority.server.options, "certfile": [_broken(authority, folder)]},
        "broken",
    ),
    "no key in it": (lambda authority, folder: {"certfile": [authority.server.certfile]}, "key"),
    "a key that is none": (
        lambda authority, folder: {**authority.server.options, "keyfile": [_garbage(folder)]},
        "garbage",
    ),
    "another's key": (
        lambda authority, folder: {**authority.server.options, "keyfile": [authority.client.keyfile]},
        "another certificate",
    ),
    "the second is wrong": (
        lambda authority, folder: {"certfile": [authority.server.both, _garbage(folder)]},
        "garbage",
    ),
    "more keys than certificates": (
        lambda authority, folder: {**authority.server.options, "keyfile": [authority.server.keyfile] * 2},
        "keyfile",
    ),
    "keys without certificates": (lambda authority, folder: {"keyfile": [authority.server.keyfile]}, "certfile"),
    "an encrypted key without a password": (
        lambda authority, folder: {**authority.server.options, "keyfile": [authority.server.encrypted(PASSWORD)]},
        "encrypted",
    ),
    "another password": (
        lambda authority, folder: {
            **authority.server.options,
            "keyfile": [authority.server.encrypted(PASSWORD)],
            "keyfile_password_file": _password(folder, "another\n"),
        },
        "encrypted",
    ),
    "no such password": (
        lambda authority, folder: {**authority.server.options, "keyfile_password_file": f"{folder}/none"},
        "none",
    ),
    "no such authorities": (
        lambda authority, folder: {**authority.server.options, "client_certs": "required", "ca_certs": f"{folder}/no"},
        "ca_certs",
    ),
    "authorities that are none": (
        lambda authority, folder: {
            **authority.server.options,
            "client_certs": "optional",
            "ca_certs": _garbage(folder),
        },
        "ca_certs",
    ),
    "client certificates without authorities": (
        lambda authority, folder: {**authority.server.options, "client_certs": "required"},
        "ca_certs",
    ),
    "ciphers that nobody knows": (
        lambda authority, folder: {**authority.server.options, "ciphers": "ROT13"},
        "ROT13",
    ),
    "a redirection to nowhere": (lambda authority, folder: {"redirect_http": 0}, "certfile"),
}


def flags(options: Options) -> list[str]:
    """Return options as they are given on the command line."""
    found = []
    for name, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            found.append(f"--{name.replace('_', '-')}={one}")
    return found


@pytest.mark.parametrize("fault", FAULTS)
def test_server_says_what_is_wrong(authority: Authority, tmp_path: Path, fault: str) -> None:
    options, named = FAULTS[fault]
    with pytest.raises(ConfigError) as raised:
        Server(hello, port=0, **options(authority, tmp_path)).close()
    said = str(raised.value)
    assert named in said
    assert "\n" not in said
    assert PASSWORD not in said


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("fault", ["no such certificate", "another's key", "another password", "no PEM"])
def test_the_command_says_what_is_wrong(authority: Authority, tmp_path: Path, fault: str, workers: int) -> None:
    write_site(tmp_path)
    options, named = FAULTS[fault]
    line = command(SITE, "--port=0", f"--workers={workers}", *flags(options(authority, tmp_path)))
    done = subprocess.run(line, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("wsgiraw: ")
    assert named in done.stderr
    assert done.stderr.count("\n") == 1


def test_nobody_at_the_terminal_is_asked_for_a_password(authority: Authority, tmp_path: Path) -> None:
    """OpenSSL would."""
    write_site(tmp_path)
    options = FAULTS["an encrypted key without a password"][0](authority, tmp_path)
    program = command(SITE, "--port=0", *flags(options))
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execve(program[0], program, environment())
    said = b""
    try:
        with suppress(OSError):  # once it has ended
            while b"pass phrase" not in said:
                said += os.read(terminal, 1000)
    finally:
        os.close(terminal)  # whoever still asks gets SIGHUP
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert b"pass phrase" not in said
    assert code == 2


def test_key_and_certificate_in_one_file(secure: Secure, authority: Authority, trust: Trust) -> None:
    server = secure(hello, certfile=[authority.server.both], keyfile=[])
    assert replies(trust.exchange(server, ASKED))[0].status == 200


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nand more\n"])
def test_an_encrypted_key(authority: Authority, trust: Trust, tmp_path: Path, end: str) -> None:
    options = {
        "certfile": [authority.server.certfile],
        "keyfile": [authority.server.encrypted(PASSWORD)],
        "keyfile_password_file": _password(tmp_path, PASSWORD + end),
    }
    with Server(hello, port=0, **options) as server:
        assert replies(trust.exchange(server, ASKED))[0].status == 200


def test_a_chain_is_sent(secure: Secure, authority: Authority, trust: Trust) -> None:
    """What vouches for the certificate stands behind it in its file."""
    server = secure(hello, certfile=[authority.between("localhost").both], keyfile=[])
    assert replies(trust.exchange(server, ASKED))[0].status == 200


def test_the_application_may_go_elsewhere(
    authority: Authority,
    trust: Trust,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Files are looked at again while it runs, by names that were meant for where it was started."""
    renewed = authority.server.copy(tmp_path)
    monkeypatch.chdir(tmp_path)
    with Server(hello, port=0, certfile=["certificate.pem"], keyfile=["key.pem"]) as server:
        monkeypatch.chdir("/")
        assert trust.serial(server) == authority.server.serial
        (other := authority.issue("localhost")).replace(renewed)
        eventually(lambda: trust.serial(server) == other.serial)

"""Certificates that are replaced on disk: new connections get them at once; what is broken changes nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.strategies.applications import GET, hello, read_reply
from tests.strategies.waiting import eventually
from tests.tls.certificates import Authority, Certificate
from tests.tls.clients import Trust
from tests.tls.conftest import Secure
from wsgiraw import Server

ONE_OF_EACH_KIND = ["handoff", "threaded"]
"""Loops look at the files, and those that accept for others."""


@pytest.fixture(autouse=True)
def looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files are looked at more often than once a second; that they are so too is seen in test_command_line.py."""
    monkeypatch.setattr("wsgiraw.net.tls._LOOK", 0.05)


@pytest.fixture
def files(authority: Authority, tmp_path: Path) -> Certificate:
    """A certificate in files that may be replaced."""
    return authority.server.copy(tmp_path)


@pytest.fixture
def renewed(authority: Authority) -> Certificate:
    """Another for the same names."""
    return authority.issue("localhost", "127.0.0.1")


@pytest.fixture
def server(secure: Secure, files: Certificate) -> Server:
    """A server that uses the files."""
    return secure(hello, **files.options)


def test_replaced_files_are_used(
    server: Server,
    files: Certificate,
    renewed: Certificate,
    trust: Trust,
    strategy: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    before = trust.serial(server)
    with trust.connect(server) as client, client.makefile("rb") as stream:
        client.sendall(GET)
        assert read_reply(stream).status == 200
        renewed.replace(files)
        if strategy != "serial":  # an idle connection makes way
            eventually(lambda: trust.serial(server) == renewed.serial)
            client.sendall(GET)
            assert read_reply(stream).status == 200
            assert read_serial(client) == before
    eventually(lambda: trust.serial(server) == renewed.serial)
    assert "certificate" in caplog.text
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def read_serial(client: object) -> str:
    return str(client.getpeercert()["serialNumber"])  # type: ignore[attr-defined]


def garbage(files: Certificate) -> None:
    Path(files.certfile).write_text("no certificate\n")


def nothing(files: Certificate) -> None:
    Path(files.certfile).unlink()


def empty(files: Certificate) -> None:
    Path(files.keyfile).write_text("")


def unreadable(files: Certificate) -> None:
    """A folder, which root cannot read either."""
    Path(files.keyfile).unlink()
    Path(files.keyfile).mkdir()


@pytest.mark.parametrize("strategy", ONE_OF_EACH_KIND)
@pytest.mark.parametrize("damage", [garbage, nothing, empty, unreadable])
def test_what_is_broken_changes_nothing_and_is_logged_once(
    server: Server,
    files: Certificate,
    trust: Trust,
    authority: Authority,
    damage: Callable[[Certificate], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = trust.serial(server)
    damage(files)

    def told() -> bool:
        assert trust.serial(server) == before
        return files.certfile in caplog.text or files.keyfile in caplog.text

    eventually(told)
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "\n" not in record.getMessage()
    if Path(files.keyfile).is_dir():
        Path(files.keyfile).rmdir()
    (renewed := authority.issue("localhost")).replace(files)
    eventually(lambda: trust.serial(server) == renewed.serial)
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1


@pytest.mark.parametrize("strategy", ONE_OF_EACH_KIND)
def test_a_key_that_comes_after_its_certificate(
    server: Server, files: Certificate, renewed: Certificate, trust: Trust, caplog: pytest.LogCaptureFixture
) -> None:
    """Those who renew do not replace two files at once."""
    before = trust.serial(server)
    key = Path(files.keyfile).read_text()
    renewed.replace(files)
    renewed_key = Path(files.keyfile).read_text()
    Path(files.keyfile).write_text(key)

    def noticed() -> bool:
        assert trust.serial(server) == before
        return bool(caplog.records)

    eventually(noticed)
    Path(files.keyfile).write_text(renewed_key)
    eventually(lambda: trust.serial(server) == renewed.serial)


@pytest.mark.parametrize("strategy", ONE_OF_EACH_KIND)
def test_one_of_several(secure: Secure, files: Certificate, authority: Authority, trust: Trust) -> None:
    first, second = authority.issue("localhost"), authority.issue("other.example")
    server = secure(hello, certfile=[first.both, files.both], keyfile=[])
    second.replace(files)
    eventually(lambda: trust.serial(server, "localhost") == first.serial)
    lenient = trust.context()
    lenient.check_hostname = False
    eventually(lambda: trust.serial(server, "other.example", lenient) == second.serial)
    assert trust.serial(server) == first.serial


@pytest.mark.parametrize("strategy", ONE_OF_EACH_KIND)
def test_other_authorities_of_clients(
    secure: Secure, authority: Authority, stranger: Authority, trust: Trust, tmp_path: Path
) -> None:
    """`ca_certs` is looked at as well: who has been removed there is not let in any longer."""
    authorities = tmp_path / "authorities"
    authorities.write_text(Path(authority.certfile).read_text())
    server = secure(hello, client_certs="required", ca_certs=str(authorities))

    def let_in(certificate: Certificate) -> bool:
        with trust.connect(server, trust.context("TLSv1.3", certificate=certificate)) as client:
            try:
                client.sendall(GET)
                return client.recv(12) == b"HTTP/1.1 200"
            except OSError:
                return False

    assert let_in(authority.client)
    assert not let_in(stranger.client)
    authorities.write_text(Path(stranger.certfile).read_text())
    eventually(lambda: let_in(stranger.client))
    assert not let_in(authority.client)


@pytest.mark.parametrize("strategy", ONE_OF_EACH_KIND)
def test_a_link_that_points_elsewhere(
    secure: Secure, authority: Authority, renewed: Certificate, trust: Trust, tmp_path: Path
) -> None:
    """As certbot's do, and as Kubernetes replaces a whole folder."""
    link = tmp_path / "live"
    link.symlink_to(Path(authority.server.certfile).parent)
    key = tmp_path / "key"
    key.symlink_to(Path(authority.server.keyfile).parent)
    server = secure(hello, certfile=[str(link / "pem")], keyfile=[str(key / "pem")])
    assert trust.serial(server) == authority.server.serial
    for name, target in ((link, renewed.certfile), (key, renewed.keyfile)):
        fresh = tmp_path / "fresh"
        fresh.symlink_to(Path(target).parent)
        fresh.rename(name)
    eventually(lambda: trust.serial(server) == renewed.serial)

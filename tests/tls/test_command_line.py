"""TLS on the command line, with one and two workers: curl and openssl, redirection, renewal and reload under way."""

import re
import shutil
import signal
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apps.conftest import absent
from tests.process import SITE, environment, write_site
from tests.strategies.applications import GET, read_reply
from tests.strategies.waiting import eventually
from tests.supervision.master import until
from tests.tls.certificates import Authority, Certificate
from tests.tls.clients import Trust
from tests.tls.command_line import Site, site_of
from tests.wire import PATIENCE, read_all, replies
from tests.wsgi.applications import asked

PASSWORD = "open sesame"


@pytest.fixture(params=[0, 1, 2])
def workers(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def files(authority: Authority, tmp_path: Path) -> Certificate:
    """A certificate in files that may be replaced."""
    write_site(tmp_path)
    return authority.server.copy(tmp_path)


@pytest.fixture
def site(tmp_path: Path, files: Certificate, workers: int) -> Iterator[Site]:
    with site_of(tmp_path, SITE, files, f"--workers={workers}", "--strategy=handoff") as running:
        yield running


def curl(authority: Authority, *arguments: str) -> str:
    """Ask with curl; return head and body, or heads and bodies."""
    program = shutil.which("curl") or absent("curl")
    line = [program, "-sS", "-i", "--cacert", authority.certfile, "--max-time", str(PATIENCE), *arguments]
    done = subprocess.run(line, capture_output=True, text=True, env=environment(NO_PROXY="*"))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_curl(site: Site, authority: Authority) -> None:
    url = f"https://localhost:{site.port}"
    for version in (["--tls-max", "1.2"], ["--tlsv1.3"]):
        said = curl(authority, *version, f"{url}/x", f"{url}/y")
        assert said.startswith("HTTP/1.1 200 OK\n")
        assert said.count("from 127.0.0.1\n") == 2
    assert site.process.stop() == 0


def test_curl_uploads(site: Site, authority: Authority, tmp_path: Path) -> None:
    """5 MB with Expect: 100-continue, as curl sends it."""
    (tmp_path / "large").write_bytes(bytes(5_000_000))
    url = f"https://localhost:{site.port}/"
    for framing in ("X: y", "Transfer-Encoding: chunked"):
        said = curl(authority, "-H", framing, "-H", "Expect: 100-continue", "-T", str(tmp_path / "large"), url)
        assert said.startswith("HTTP/1.1 100 Continue\n")
        assert "HTTP/1.1 200 OK\n" in said


def test_openssl_connects(site: Site, authority: Authority) -> None:
    program = shutil.which("openssl") or absent("openssl")
    line = [program, "s_client", "-connect", f"127.0.0.1:{site.port}", "-CAfile", authority.certfile]
    done = subprocess.run(
        [*line, "-verify_return_error", "-alpn", "http/1.1", "-ign_eof"],
        input=asked("GET", "/", "Connection: close"),
        capture_output=True,
        timeout=PATIENCE,
    )
    said = done.stdout.decode()
    assert done.returncode == 0
    assert "from 127.0.0.1" in said
    assert "ALPN protocol: http/1.1" in said
    assert "Verify return code: 0 (ok)" in said


@pytest.mark.parametrize("strategy", ["serial", "threaded", "forking", "pooled", "eventloop"])
def test_other_strategies(tmp_path: Path, files: Certificate, authority: Authority, strategy: str) -> None:
    with site_of(tmp_path, SITE, files, f"--strategy={strategy}") as site:
        assert "from 127.0.0.1" in curl(authority, f"https://localhost:{site.port}/")
        assert site.process.stop() == 0


def test_an_encrypted_key(tmp_path: Path, files: Certificate, authority: Authority, trust: Trust, workers: int) -> None:
    encrypted = Certificate(files.certfile, authority.server.encrypted(PASSWORD), files.both)
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    with site_of(tmp_path, SITE, encrypted, "--keyfile-password-file=password", f"--workers={workers}") as site:
        assert trust.serial(site.port) == authority.server.serial


def test_redirection(tmp_path: Path, files: Certificate, authority: Authority, workers: int) -> None:
    with site_of(tmp_path, SITE, files, "--redirect-http=0", f"--workers={workers}") as site:
        plain = f"http://localhost:{site.plain_port}/a%20b?c=d"
        said = curl(authority, plain)
        assert re.match(r"HTTP/1\.1 308 .*\n", said)
        assert f"\nLocation: https://localhost:{site.port}/a%20b?c=d\n" in said
        followed = curl(authority, "-L", plain)
        assert "from 127.0.0.1\n" in followed
        posted = curl(authority, "-L", "-d", "x=y", plain)
        assert "from 127.0.0.1\n" in posted
        assert site.process.stop() == 0


def test_what_is_malformed_is_not_redirected(tmp_path: Path, files: Certificate) -> None:
    with site_of(tmp_path, SITE, files, "--redirect-http=0") as site:
        for octets, status in {
            b"GET / HTTP/1.1\r\n\r\n": 400,  # no Host to go to
            b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n": 400,
            asked("GET", "/", "Connection: close"): 308,
        }.items():
            with site.process.connect(site.plain_port) as client:
                client.sendall(octets)
                (reply,) = replies(read_all(client))
                assert reply.status == status
                assert (reply.field("Location") is None) == (status == 400)


def test_replaced_files_are_used_by_all_workers(
    tmp_path: Path, files: Certificate, authority: Authority, trust: Trust, workers: int
) -> None:
    with site_of(tmp_path, SITE, files, f"--workers={workers}", "--error-logfile=errors") as site:
        before = trust.serial(site.port)
        (renewed := authority.issue("localhost")).replace(files)
        eventually(lambda: all(trust.serial(site.port) == renewed.serial for _ in range(20)))
        Path(files.certfile).write_text("garbage")

        def told() -> bool:
            # A worker that had no client in between has not seen the new ones: for it the first ones are the former.
            assert trust.serial(site.port) in (renewed.serial, *([before] if workers > 1 else []))
            return files.certfile in (tmp_path / "errors").read_text()

        eventually(told)
        assert site.process.stop() == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_reload_takes_new_certificates_and_loses_nobody(
    site: Site, files: Certificate, authority: Authority, trust: Trust
) -> None:
    asking = Asking(trust, site.port)
    with asking, trust.connect(site.port) as kept, kept.makefile("rb") as stream:
        kept.sendall(GET)
        assert read_reply(stream).status == 200
        (renewed := authority.issue("localhost")).replace(files)
        site.process.signal(signal.SIGHUP)
        site.process.line(r"\] reloaded")
        assert stream.read() == b""  # its worker ends, in order
        until(lambda: trust.serial(site.port) == renewed.serial, "the new workers have the new one")
    assert asking.answered > 0
    assert site.process.stop() == 0


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("damage", ["garbage", "another's key"])
def test_a_reload_with_a_broken_certificate_changes_nothing(
    site: Site, files: Certificate, authority: Authority, trust: Trust, damage: str
) -> None:
    broken = Path(files.certfile if damage == "garbage" else files.keyfile)
    with trust.connect(site.port) as kept, kept.makefile("rb") as stream:
        broken.write_text("garbage" if damage == "garbage" else Path(authority.client.keyfile).read_text())
        site.process.signal(signal.SIGHUP)
        site.process.line(f"not reloaded, everything stays as it was: .*{re.escape(files.certfile)}")
        kept.sendall(GET)
        assert read_reply(stream).status == 200
        assert trust.serial(site.port) == authority.server.serial
    (renewed := authority.issue("localhost")).replace(files)
    site.process.signal(signal.SIGHUP)
    site.process.line(r"\] reloaded")
    until(lambda: trust.serial(site.port) == renewed.serial, "it works again")
    assert site.process.stop() == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_is_replaced_later_has_what_the_others_have(
    site: Site, files: Certificate, authority: Authority, trust: Trust
) -> None:
    """The master, which forks it, has not loaded what they have."""
    (renewed := authority.issue("localhost")).replace(files)
    eventually(lambda: all(trust.serial(site.port) == renewed.serial for _ in range(10)))
    site.process.signal(signal.SIGTTIN)
    for _ in range(20):
        assert trust.serial(site.port) == renewed.serial
    assert site.process.stop() == 0


class Asking:
    """Asks again and again in a thread of its own, each time on a new connection; each must be answered."""

    def __init__(self, trust: Trust, port: int) -> None:
        self._trust, self._port = trust, port
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._fault: Exception | None = None
        self.answered = 0

    def _run(self) -> None:
        context: ssl.SSLContext = self._trust.context()
        try:
            while not self._over.is_set():
                (reply,) = replies(self._trust.exchange(self._port, asked("GET", "/", "Connection: close"), context))
                assert reply.status == 200
                self.answered += 1
        except Exception as error:
            self._fault = error

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._fault is not None:
            raise self._fault

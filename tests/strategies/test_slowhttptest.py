"""slowhttptest in each of its modes: others are served meanwhile, and who is too slow is dropped by our timeouts."""

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.apps.conftest import absent
from tests.process import Process, running
from tests.wire import PATIENCE, read_all, replies

CONNECTIONS = 200
LARGE = 8_000_000
"""Octets that are more than the kernel takes for a client that does not read."""

SOURCE = f"""
LARGE = bytes({LARGE})

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [LARGE if environ["PATH_INFO"] == "/large" else b"in time"]
"""

IMPATIENT = ("--head-timeout", "0.5", "--body-timeout", "0.5", "--write-timeout", "0.5", "--keep-alive", "0.5")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    (tmp_path / "slow_site.py").write_text(SOURCE)
    where = ("--bind", "127.0.0.1:0", "--access-logfile", "access")
    with running(tmp_path, "slow_site:app", *where, *IMPATIENT) as process:
        yield process


@contextmanager
def slowhttptest(port: int, path: str, *options: str) -> "Iterator[subprocess.Popen[str]]":
    """Let it attack for a minute at most; it ends earlier when it has no connection left."""
    program = shutil.which("slowhttptest") or absent("slowhttptest")
    always = ["-c", str(CONNECTIONS), "-r", str(2 * CONNECTIONS), "-l", "60", "-p", f"{PATIENCE:.0f}"]
    command = [program, *options, *always, "-u", f"http://127.0.0.1:{port}{path}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def said(process: "subprocess.Popen[str]") -> str:
    """Return what it has to say at its end, without colours."""
    output, _ = process.communicate(timeout=PATIENCE)
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", output)


def ask(server: Process, port: int) -> None:
    """Be a normal client."""
    with server.connect(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        (reply,) = replies(read_all(client))
    assert (reply.status, reply.body) == (200, b"in time")


@pytest.mark.parametrize(
    "options",
    [("-H", "-i", "1"), ("-B", "-i", "1"), ("-R",)],
    ids=["slow heads", "slow bodies", "ranges"],
)
def test_senders(server: Process, options: tuple[str, ...]) -> None:
    """Slowloris, R-U-Dead-Yet and the Apache killer: all their connections end."""
    port = server.port()
    with slowhttptest(port, "/", *options) as attack:
        while attack.poll() is None:
            ask(server, port)
        output = said(attack)
    assert "Exit status: No open connections left" in output, output
    assert set(re.findall(r"service available: *(\w+)", output)) == {"YES"}, output
    ask(server, port)


def test_slow_readers(server: Process, tmp_path: Path) -> None:
    """Who takes five octets a second of a large response is cut off, which the tool does not notice for long."""
    port = server.port()
    with slowhttptest(port, "/large", "-X", "-n", "1", "-z", "5", "-w", "10", "-y", "20") as attack:
        while ended(tmp_path / "access") < CONNECTIONS:
            assert attack.poll() is None, said(attack)
            ask(server, port)
        attack.send_signal(signal.SIGINT)
        output = said(attack)
    assert "service available:   NO" not in output, output
    ask(server, port)


def ended(log: Path) -> int:
    """Return how many responses are over. None can be complete: they are larger than what the kernel takes."""
    return log.read_text().count('"GET /large ')

"""The command line as a process: what it says, where it listens, and how it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.process import SITE, Process, command, curl, environment, running, write_site
from tests.strategies.applications import GET, read_reply
from tests.wire import PATIENCE, read_all, replies
from wsgiraw import __version__

ANY_PORT = "--port=0"
INLINE = ("eventloop", "serial")  # the others can leave a thread behind, or end a child
SLOW_BODY = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_site(tmp_path)
    os.mkfifo(tmp_path / "gate")
    return tmp_path


def assert_clean(process: Process) -> None:
    """Nothing is amiss on standard error, development mode's warnings included."""
    text = "".join(process.lines)
    assert "Warning" not in text
    assert "Traceback" not in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_from_banner_to_exit(folder: Path, strategy: str, number: int) -> None:
    with running(folder, SITE, ANY_PORT, f"--strategy={strategy}") as process:
        said = process.line(r"^wsgiraw (\S+) · (\S+) · pid ([0-9]+) · (http://127\.0\.0\.1:[0-9]+) · Ctrl-C stops it$")
        assert said.groups()[:3] == (__version__, strategy, str(process.pid))
        assert curl(said[4]) == "from 127.0.0.1"
        process.signal(number)
        assert process.wait() == 0
        assert process.popen.stdout is not None
        assert process.popen.stdout.read() == ""  # no access log where nobody looks
        assert process.lines[-1].endswith("[INFO] stopped\n")
        assert_clean(process)


def test_logs_in_files(folder: Path) -> None:
    with running(folder, SITE, ANY_PORT, "--access-logfile=access", "--error-logfile=errors") as process:
        port = process.port()
        with process.connect(port) as client, client.makefile("rb") as stream:
            client.sendall(GET.replace(b"/", b"/fail", 1))
            assert read_reply(stream).status == 500
        assert process.stop() == 0
        assert len(process.lines) == 1  # the banner
    assert '"GET /fail HTTP/1.1" 500' in (folder / "access").read_text()
    errors = (folder / "errors").read_text()
    for part in ("to wsgi.errors\n", "GET /fail: the application failed\n", "LookupError: in vain\n", "stopped\n"):
        assert part in errors


def test_access_log_on_standard_output(folder: Path) -> None:
    with running(folder, SITE, ANY_PORT, "--access-logfile=-") as process:
        curl(f"http://127.0.0.1:{process.port()}/x")
        assert process.popen.stdout is not None
        assert '"GET /x HTTP/1.1" 200 15 "-" "curl/' in process.popen.stdout.readline()
        assert process.stop() == 0


def test_without_standard_output(folder: Path) -> None:
    line = " ".join([*command(SITE, ANY_PORT), ">&-"])
    with subprocess.Popen(
        ["sh", "-c", f"exec {line}"], cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True
    ) as popen:
        process = Process(popen)
        assert curl(f"http://127.0.0.1:{process.port()}/") == "from 127.0.0.1"
        assert process.stop() == 0


def test_without_standard_error(folder: Path) -> None:
    line = " ".join([*command(SITE, "--bind=unix:socket"), "2>&-"])
    with subprocess.Popen(["sh", "-c", f"exec {line}"], cwd=folder, env=environment()) as popen:
        end = time.monotonic() + PATIENCE
        while not (folder / "socket").exists() and time.monotonic() < end:
            time.sleep(0.01)
        assert curl("--retry", "20", "--retry-all-errors", "--unix-socket", str(folder / "socket"), "http://a/")
        popen.terminate()
        assert popen.wait(PATIENCE) == 0


# The end


@pytest.fixture
def serving(folder: Path, strategy: str) -> Iterator[tuple[Process, socket.socket]]:
    """A process that has a request's head and waits for its body, for ever."""
    options = ("--graceful-timeout=3600", "--body-timeout=3600", "--linger-timeout=0")
    with (
        running(folder, SITE, ANY_PORT, f"--strategy={strategy}", *options) as process,
        process.connect(process.port()) as client,
    ):
        client.sendall(SLOW_BODY)
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        yield process, client


def test_an_upload_in_flight_is_finished(serving: tuple[Process, socket.socket]) -> None:
    process, client = serving
    process.signal(signal.SIGTERM)
    client.sendall(b"abc")
    assert replies(read_all(client))[0].status == 200
    assert process.wait() == 0
    assert_clean(process)


def test_a_second_signal_drops_it(serving: tuple[Process, socket.socket], strategy: str) -> None:
    process, client = serving
    if strategy == "serial":
        pytest.skip("does not show when it has noticed the first, and two signals at once are one to the kernel")
    with socket.create_connection(client.getpeername(), timeout=PATIENCE) as idle:
        process.signal(signal.SIGTERM)
        assert read_all(idle) == b""  # it has noticed
        process.signal(signal.SIGTERM)
    assert process.wait() == 0
    with suppress(ConnectionResetError):
        assert read_all(client) == b""
    assert_clean(process)


def test_a_request_in_the_application_is_finished(folder: Path, strategy: str) -> None:
    with running(folder, SITE, ANY_PORT, f"--strategy={strategy}", "--graceful-timeout=3600") as process:
        with process.connect(process.port()) as client:
            client.sendall(GET.replace(b"/", b"/gate", 1))
            with (folder / "gate").open("w"):  # opens once the application has
                process.signal(signal.SIGTERM)
            assert replies(read_all(client))[0].body == b"from 127.0.0.1\n"
        assert process.wait() == 0


def test_graceful_timeout_ends_it(folder: Path, strategy: str) -> None:
    options = ("--graceful-timeout=0.2", "--body-timeout=3600")
    with running(folder, SITE, ANY_PORT, f"--strategy={strategy}", *options) as process:
        with process.connect(process.port()) as client:
            client.sendall(SLOW_BODY)
            assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
            assert process.stop() == 0
            with suppress(ConnectionResetError):
                assert read_all(client) == b""
        assert_clean(process)


@pytest.mark.parametrize("strategy", INLINE)
def test_an_application_that_is_stuck_does_not_keep_the_process(folder: Path, strategy: str) -> None:
    options = ("--graceful-timeout=0.1", "--workers=0")
    with running(folder, SITE, ANY_PORT, f"--strategy={strategy}", *options) as process:
        with process.connect(process.port()) as client:
            client.sendall(GET.replace(b"/", b"/gate", 1))
            with (folder / "gate").open("w"):
                process.signal(signal.SIGTERM)
                assert process.wait() == 1
        assert "does not return: giving up" in process.lines[-1]


@pytest.mark.parametrize("strategy", INLINE)
def test_a_worker_that_is_stuck_in_the_application_does_not_keep_the_master(folder: Path, strategy: str) -> None:
    with (
        running(folder, SITE, ANY_PORT, f"--strategy={strategy}", "--graceful-timeout=0.1") as process,
        process.connect(process.port()) as client,
    ):
        client.sendall(GET.replace(b"/", b"/gate", 1))
        with (folder / "gate").open("w"):
            process.signal(signal.SIGTERM)
            process.line(r"worker \d+ does not end: it is killed")
            assert process.wait() == 0


def test_a_restart_on_the_same_port_at_once(folder: Path) -> None:
    port = 0
    clients = []
    for _ in range(3):
        with running(folder, SITE, f"--port={port}") as process:
            port = process.port()
            clients.append(process.connect(port))
            clients[-1].sendall(GET)
            assert clients[-1].recv(12) == b"HTTP/1.1 200"
            assert process.stop() == 0
    for client in clients:
        client.close()


# From Python


def test_serve_with_a_mapping_mounts(folder: Path) -> None:
    (folder / "start.py").write_text(
        "import wsgiraw\n"
        "def name(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [f\"{environ['SCRIPT_NAME']} {environ['PATH_INFO']}\".encode()]\n"
        "wsgiraw.serve({'/': name, '/shop': name}, port=0)\n"
        "print('after')\n"
    )
    with subprocess.Popen(
        [sys.executable, "start.py"],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as popen:
        process = Process(popen)
        url = f"http://127.0.0.1:{process.port()}"
        assert curl(f"{url}/shop/cart") == "/shop /cart"
        assert curl(f"{url}/cart") == " /cart"
        assert process.stop() == 0
        assert popen.stdout is not None
        assert popen.stdout.read() == "after\n"


def test_serial_says_what_it_is_not(folder: Path) -> None:
    with running(folder, SITE, ANY_PORT, "--worker-class=sync") as process:
        process.line("strategy serial serves one client at a time: handoff serves many")
        process.port()
        assert process.stop() == 0

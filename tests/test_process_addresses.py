"""Where the command line listens, asked by curl, and what it says where it cannot."""

import signal
import socket
import stat
from pathlib import Path

import pytest

from tests.process import SITE, curl, running, write_site

ANY_PORT = "--port=0"
needs_ipv6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_site(tmp_path)
    return tmp_path


def test_a_busy_port(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with running(folder, SITE, f"--bind=127.0.0.1:{port}") as process:
            assert process.wait() == 2
            assert process.lines == [
                f"wsgiraw: cannot listen on 127.0.0.1:{port}: Address already in use: "
                "end what listens there, or choose another\n"
            ]


def test_a_log_that_cannot_be_written(folder: Path) -> None:
    for flag in ("--access-logfile", "--error-logfile"):
        with running(folder, SITE, ANY_PORT, f"{flag}=none/log") as process:
            assert process.wait() == 2
            assert process.lines == ["wsgiraw: cannot write the log none/log: No such file or directory\n"]


@needs_ipv6
def test_ipv6(folder: Path) -> None:
    with running(folder, SITE, "--bind=[::1]:0") as process:
        assert curl(process.line(r"http://\[::1\]:[0-9]+")[0]) == "from ::1"
        assert process.stop() == 0


@needs_ipv6
def test_every_address(folder: Path) -> None:
    with running(folder, SITE, "--bind=*:0") as process:
        port = process.port()
        assert curl(f"http://127.0.0.1:{port}/") == "from 127.0.0.1"
        assert curl(f"http://[::1]:{port}/") == "from ::1"
        assert process.stop() == 0


def test_several_addresses(folder: Path) -> None:
    with running(folder, SITE, "-b", "127.0.0.1:0", "-b", "unix:s") as process:
        url = process.line(r"(http://\S+) unix:s ·")[1]
        assert curl(url) == "from 127.0.0.1"
        assert curl("--unix-socket", str(folder / "s"), "http://localhost/") == "from a unix socket"
        assert process.stop() == 0


def test_unix_socket(folder: Path) -> None:
    path = folder / "s"
    arguments = (SITE, f"--bind=unix:{path}")
    with running(folder, *arguments, "--socket-mode=666") as process:
        process.line("wsgiraw")
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        with running(folder, *arguments) as second:
            assert second.wait() == 2
            assert second.lines == [
                f"wsgiraw: cannot listen on unix:{path}: another server listens on this socket: "
                "end what listens there, or choose another\n"
            ]
        assert curl("--unix-socket", str(path), "http://localhost/") == "from a unix socket"
        process.signal(signal.SIGKILL)
        process.wait()
    assert path.is_socket()  # stale
    with running(folder, *arguments) as process:
        process.line("wsgiraw")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert curl("--unix-socket", str(path), "http://localhost/") == "from a unix socket"
        assert process.stop() == 0
    assert not path.exists()
    path.write_text("not a socket")
    with running(folder, *arguments) as process:
        assert process.wait() == 2
        assert "a file that is not a socket is there" in process.lines[0]


def test_inherited_descriptor(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as ours:
        url = f"http://127.0.0.1:{ours.getsockname()[1]}"
        for _ in range(2):  # requests wait while one server goes and the next comes
            with running(folder, SITE, f"--bind=fd://{ours.fileno()}", pass_fds=(ours.fileno(),)) as process:
                process.line(url)
                assert curl(url) == "from 127.0.0.1"
                assert process.stop() == 0

"""SIGUSR2: a new master on the same sockets."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.process import Process, command, curl, environment
from tests.supervision.master import lives, until, write_application

PORT = "--port=0"


def number(folder: Path) -> int:
    """Return what the pid file says, 0 if there is none."""
    try:
        return int((folder / "pid").read_text())
    except (FileNotFoundError, ValueError):
        return 0


@contextmanager
def master(folder: Path, *arguments: str) -> Iterator[Process]:
    """Run a master with a pid file; end whoever is in it at the end."""
    popen = subprocess.Popen(
        command("workers_app:app", "--workers=2", "--strategy=eventloop", "--pid=pid", *arguments),
        cwd=folder,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    with popen:
        process = Process(popen)
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                if last := number(folder):
                    os.kill(last, signal.SIGTERM)
            if popen.poll() is None:
                popen.terminate()
            process._reader.join()  # until the last of them has ended, which has the same standard error


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_application(tmp_path)
    return tmp_path


def test_a_new_master_takes_over(folder: Path) -> None:
    with master(folder, PORT) as old:
        url = f"http://127.0.0.1:{old.port()}"
        assert number(folder) == old.pid
        old.signal(signal.SIGUSR2)
        old.line(r"upgraded: process \d+ serves, this one leaves")
        assert old.popen.wait(20) == 0
        new = number(folder)
        assert new != old.pid
        assert lives(new)
        assert curl(url).endswith("True")
        os.kill(new, signal.SIGTERM)
        until(lambda: not lives(new), "the new master has ended")
        assert not (folder / "pid").exists()


def test_a_unix_socket_survives_the_old_master_and_goes_with_the_new(folder: Path) -> None:
    with master(folder, "--bind=unix:socket") as old:
        old.line("unix:")
        inode = (folder / "socket").stat().st_ino
        old.signal(signal.SIGUSR2)
        assert old.popen.wait(20) == 0
        assert (folder / "socket").stat().st_ino == inode
        assert curl("--unix-socket", str(folder / "socket"), "http://a/")
        new = number(folder)
        os.kill(new, signal.SIGTERM)
        until(lambda: not lives(new), "the new master has ended")
        assert not (folder / "socket").exists()


def test_a_new_master_that_fails_changes_nothing(folder: Path) -> None:
    with master(folder, PORT) as old:
        url = f"http://127.0.0.1:{old.port()}"
        for fault, said in (("import no_such_library", "fails on import"), ("app = 1", "not a callable")):
            write_application(folder, fault)
            old.signal(signal.SIGUSR2)
            old.line(said)
            old.line("not upgraded, everything stays as it was")
            assert number(folder) == old.pid
            assert curl(url).endswith("True")
        write_application(folder)
        old.signal(signal.SIGUSR2)
        assert old.popen.wait(20) == 0
        assert curl(url).endswith("True")

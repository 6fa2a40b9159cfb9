"""`--workers N` as a user runs it: processes are replaced when they die, and all of them end with the master."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.wire import PATIENCE

APPLICATION = """
import os

def app(environ, start_response):
    if environ["PATH_INFO"] == "/exit":
        os._exit(7)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {environ['wsgi.multiprocess']}".encode()]
"""


class Master:
    """The command as a subprocess, its error log in a file."""

    def __init__(self, folder: Path, *options: str) -> None:
        (folder / "workers_app.py").write_text(APPLICATION)
        self._log = folder / "error.log"
        command = [sys.executable, "-m", "wsgiraw", "workers_app:app", "--port", "0", *options]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, stderr=log, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
            )
        self.url = self.wait_for(r"http://\S+")[0]

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return the first match in the error log once there is one."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if match := re.search(pattern, self._log.read_text()):
                return match
            assert self.process.poll() is None, self._log.read_text()
            time.sleep(0.01)
        raise AssertionError(f"no {pattern!r} in {self._log.read_text()!r}")

    def ask(self, path: str = "/") -> str:
        """Return the body of an answer."""
        with urlopen(self.url + path, timeout=PATIENCE) as response:
            return str(response.read().decode())


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    """A master with two workers."""
    running = Master(tmp_path, "--workers", "2")
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def test_several_processes_serve_and_all_end_with_the_master(master: Master) -> None:
    pid, multiprocess = master.ask().split()
    assert int(pid) != master.process.pid
    assert multiprocess == "True"
    master.process.send_signal(signal.SIGTERM)
    assert master.process.wait(PATIENCE) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_a_worker_that_is_killed_is_replaced(master: Master) -> None:
    pid = master.ask().split()[0]
    os.kill(int(pid), signal.SIGKILL)
    assert master.wait_for(r"worker (\d+) ended \(signal SIGKILL\)")[1] == pid
    assert master.ask().split()[0] != pid


def test_a_worker_that_exits_is_replaced(master: Master) -> None:
    with pytest.raises(OSError, match="closed connection|reset"):
        master.ask("/exit")
    master.wait_for(r"worker \d+ ended \(exit code 7\)")
    assert master.ask().endswith("True")


def test_one_worker_is_no_multiprocess(tmp_path: Path) -> None:
    running = Master(tmp_path, "--workers", "1")
    try:
        assert running.ask().endswith("False")
    finally:
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(PATIENCE) == 0

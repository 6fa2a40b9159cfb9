"""`--workers N` as a user runs it: processes are replaced when they die, and all of them end with the master."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.wire import PATIENCE
from wsgiraw.strategies.prefork import supervise

APPLICATION = """
import os
import time

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/exit":
        os._exit(7)
    if path == "/wait":
        print("waiting", file=environ["wsgi.errors"], flush=True)
        while not os.path.exists("go"):
            time.sleep(0.01)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {environ['wsgi.multiprocess']}".encode()]
"""


class Master:
    """The command as a subprocess, its error log in a file."""

    def __init__(self, folder: Path, *options: str) -> None:
        (folder / "workers_app.py").write_text(APPLICATION)
        self._log = folder / "error.log"
        self._folder = folder
        command = [sys.executable, "-m", "wsgiraw", "workers_app:app", "--port", "0", *options]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
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

    def let_go(self) -> None:
        """Let requests to /wait be answered."""
        (self._folder / "go").touch()

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
    with pytest.raises(OSError, match=r"closed connection|reset"):
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_of_them_lets_a_request_finish(master: Master, number: signal.Signals) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(master.ask, "/wait")
        master.wait_for("waiting")
        os.killpg(master.process.pid, number)
        with pytest.raises(subprocess.TimeoutExpired):
            master.process.wait(0.3)
        master.let_go()
        assert answer.result(PATIENCE).endswith("True")
    assert master.process.wait(PATIENCE) == 0


def test_a_second_signal_ends_a_worker_that_is_stuck(master: Master) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(master.ask, "/wait")
        master.wait_for("waiting")
        master.process.send_signal(signal.SIGTERM)
        master.process.send_signal(signal.SIGQUIT)
        assert master.process.wait(PATIENCE) == 0
        with pytest.raises(OSError, match=r"closed connection|reset"):
            answer.result(PATIENCE)


def test_workers_do_not_outlive_their_master(master: Master) -> None:
    pid = int(master.ask().split()[0])
    master.process.kill()
    master.process.wait()
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and Path(f"/proc/{pid}/exe").exists():
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}/exe").exists()


def test_a_worker_killed_by_a_signal_without_a_name_is_replaced(master: Master) -> None:
    os.kill(int(master.ask().split()[0]), 36)
    master.wait_for(r"worker \d+ ended \(signal 36\)")
    assert master.ask().endswith("True")


def test_a_fork_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    # A kernel out of processes cannot be had here without harming others.
    fork, failures = os.fork, [OSError(11, "Resource temporarily unavailable")]

    def first_fails() -> int:
        if failures:
            raise failures.pop()
        return fork()

    monkeypatch.setattr("os.fork", first_fails)
    ready = os.pipe()

    def work(when_orphaned: object) -> None:
        os.write(ready[1], b"x")
        os.kill(os.getppid(), signal.SIGTERM)

    supervise(1, work, lambda: None, lambda: None, 0.1)
    assert os.read(ready[0], 1) == b"x"
    assert "cannot start a worker: Resource temporarily unavailable" in caplog.text
    for descriptor in ready:
        os.close(descriptor)

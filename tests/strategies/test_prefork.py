"""`--workers N` as a user runs it: processes are replaced when they die, and all of them end with the master."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.process import Process, running
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
    """A master that runs, and its application."""

    def __init__(self, folder: Path, process: Process) -> None:
        self._folder = folder
        self.process = process
        self.url = process.line(r"http://\S+")[0]

    def ask(self, path: str = "/") -> str:
        """Return the body of an answer."""
        with urlopen(self.url + path, timeout=PATIENCE) as response:
            return str(response.read().decode())

    def let_go(self) -> None:
        """Let requests to /wait be answered."""
        (self._folder / "go").touch()


@contextmanager
def master_of(workers: int, folder: Path) -> Iterator[Master]:
    (folder / "workers_app.py").write_text(APPLICATION)
    with running(folder, "workers_app:app", "--port=0", f"--workers={workers}", group=True) as process:
        yield Master(folder, process)


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    """A master with two workers."""
    with master_of(2, tmp_path) as running_master:
        yield running_master


def test_several_processes_serve_and_all_end_with_the_master(master: Master) -> None:
    pid, multiprocess = master.ask().split()
    assert int(pid) != master.process.pid
    assert multiprocess == "True"
    master.process.signal(signal.SIGTERM)
    assert master.process.wait() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_a_worker_that_is_killed_is_replaced(master: Master) -> None:
    pid = master.ask().split()[0]
    os.kill(int(pid), signal.SIGKILL)
    assert master.process.line(r"worker (\d+) ended \(signal SIGKILL\)")[1] == pid
    assert master.ask().split()[0] != pid


def test_a_worker_that_exits_is_replaced(master: Master) -> None:
    with pytest.raises(OSError, match=r"closed connection|reset"):
        master.ask("/exit")
    master.process.line(r"worker \d+ ended \(exit code 7\)")
    assert master.ask().endswith("True")


def test_one_worker_is_no_multiprocess(tmp_path: Path) -> None:
    with master_of(1, tmp_path) as alone:
        assert alone.ask().endswith("False")
        alone.process.signal(signal.SIGINT)
        assert alone.process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_of_them_lets_a_request_finish(master: Master, number: signal.Signals) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(master.ask, "/wait")
        master.process.line("waiting")
        os.killpg(master.process.pid, number)
        with pytest.raises(subprocess.TimeoutExpired):
            master.process.popen.wait(0.3)
        master.let_go()
        assert answer.result(PATIENCE).endswith("True")
    assert master.process.wait() == 0


def test_a_second_signal_ends_a_worker_that_is_stuck(master: Master) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(master.ask, "/wait")
        master.process.line("waiting")
        master.process.signal(signal.SIGTERM)
        master.process.signal(signal.SIGQUIT)
        assert master.process.wait() == 0
        with pytest.raises(OSError, match=r"closed connection|reset"):
            answer.result(PATIENCE)


def test_workers_do_not_outlive_their_master(master: Master) -> None:
    pid = int(master.ask().split()[0])
    master.process.popen.kill()
    master.process.popen.wait()
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and Path(f"/proc/{pid}/exe").exists():
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}/exe").exists()


def test_a_worker_killed_by_a_signal_without_a_name_is_replaced(master: Master) -> None:
    os.kill(int(master.ask().split()[0]), 36)
    master.process.line(r"worker \d+ ended \(signal 36\)")
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

"""How a master and its workers end."""

import os
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.process import curl, running
from tests.strategies.applications import GET, read_reply
from tests.supervision.master import Master, master_of, until, write_application
from tests.wire import PATIENCE

CLOSED = r"closed connection|reset"


def test_sigterm_to_all_of_them_lets_a_request_finish(master: Master) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(master.ask, "/wait")
        master.process.line("waiting")
        os.killpg(master.process.pid, signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            master.process.popen.wait(0.3)
        master.let_go()
        assert answer.result(PATIENCE).endswith("True")
    assert master.process.wait() == 0


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGQUIT], [signal.SIGTERM, signal.SIGTERM]])
def test_at_once(master: Master, signals: list[signal.Signals]) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(master.ask, "/wait")
        master.process.line("waiting")
        for number in signals:
            master.process.signal(number)
            with pytest.raises(subprocess.TimeoutExpired):  # it has taken note: two at once are one to the kernel
                master.process.popen.wait(0.2)
        assert master.process.wait() == 0
        with pytest.raises(OSError, match=CLOSED):
            answer.result(PATIENCE)


def test_what_is_queued_is_served_and_newcomers_are_refused(tmp_path: Path) -> None:
    with (
        master_of(1, tmp_path, "--strategy=eventloop") as master,
        ThreadPoolExecutor(5) as pool,
    ):
        first = pool.submit(master.ask, "/wait")
        master.process.line("waiting")  # the one worker accepts nobody now
        port = int(master.url.rpartition(":")[2])
        with master.process.connect(port) as queued:
            queued.sendall(GET)
            master.process.signal(signal.SIGTERM)
            until(lambda: refused(master, port), "nobody gets in any more")
            master.let_go()
            assert first.result(PATIENCE)
            assert read_reply(queued.makefile("rb")).status == 200
        assert master.process.wait() == 0


def refused(master: Master, port: int) -> bool:
    """Whether a newcomer is not let in, be it that nobody answers."""
    with socket.socket() as client:
        client.settimeout(0.1)
        try:
            client.connect(("127.0.0.1", port))
        except OSError:
            return True
    return False


@pytest.mark.parametrize("workers", [0, 2])
def test_drain_delay_goes_on_accepting(tmp_path: Path, workers: int) -> None:
    with master_of(workers, tmp_path, "--strategy=eventloop", "--drain-delay=1.5") as master:
        master.process.signal(signal.SIGTERM)
        if workers:
            master.process.line("stopping in 1.5 s")
        assert master.ask()
        assert master.process.wait() == 0


@pytest.mark.parametrize("workers", [0, 2])
def test_a_second_sigterm_cuts_the_drain_delay_short(tmp_path: Path, workers: int) -> None:
    with master_of(workers, tmp_path, "--strategy=eventloop", "--drain-delay=3600") as master:
        master.process.signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            master.process.popen.wait(0.3)
        assert master.process.stop() == 0


def test_without_a_master_sighup_and_sigint_end_it(tmp_path: Path) -> None:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        with master_of(0, tmp_path) as alone:
            assert int(alone.ask().split()[0]) == alone.process.pid
            alone.process.signal(number)
            assert alone.process.wait() == 0


@pytest.mark.parametrize("workers", [0, 2])
def test_a_unix_socket_is_removed_at_the_end(tmp_path: Path, workers: int) -> None:
    write_application(tmp_path)
    with running(tmp_path, "workers_app:app", "--bind=unix:socket", f"--workers={workers}") as process:
        process.line("unix:")
        assert curl("--unix-socket", str(tmp_path / "socket"), "http://a/")
        assert process.stop() == 0
    assert not (tmp_path / "socket").exists()

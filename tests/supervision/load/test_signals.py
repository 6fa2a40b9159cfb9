"""The other signals, and the file with the master's number."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.supervision.load.clients import Load
from tests.supervision.load.processes import children
from tests.supervision.load.site import served
from tests.supervision.load.waiting import until


def test_one_worker_more_and_one_less(folder: Path, strategy: str) -> None:
    options = ("--port=0", "--workers=2", "--log-level=debug", f"--strategy={strategy}")
    with served(folder, *options) as process:
        with Load(("127.0.0.1", process.port()), kept=50, single=50) as load:
            load.settle()
            started = 2
            for number, expected in [
                (signal.SIGTTIN, 3),
                (signal.SIGTTIN, 4),
                (signal.SIGTTOU, 3),
                (signal.SIGTTOU, 2),
                (signal.SIGTTOU, 1),
            ]:
                load.phase = f"{expected} workers"
                process.signal(number)
                started += number == signal.SIGTTIN
                while sum("is ready" in line for line in process.lines) < started:
                    process.line("is ready")
                until(lambda expected=expected: len(children(process.pid)) == expected, load.phase)
                load.settle()
            load.settle()
        assert process.stop() == 0
    assert load.lost == []


def test_retired_workers_leave_clients_in_the_kernels_queue(folder: Path, strategy: str) -> None:
    with served(folder, "--port=0", "--workers=2", f"--strategy={strategy}") as process:
        with Load(("127.0.0.1", process.port()), kept=20, single=20) as load:
            load.settle()
            load.phase = "no workers"
            process.signal(signal.SIGWINCH)
            until(lambda: not children(process.pid), load.phase)
            load.phase = "workers again"
            process.signal(signal.SIGHUP)
            until(lambda: len(children(process.pid) & load.pids) == 2, load.phase)
            load.settle()
        assert process.stop() == 0
    assert load.lost == []


def test_logs_are_reopened_and_no_line_is_lost(folder: Path, strategy: str) -> None:
    logs = ("--access-logfile=access", "--error-logfile=errors")
    with served(folder, "--port=0", "--workers=2", f"--strategy={strategy}", *logs) as process:
        with Load(("127.0.0.1", process.port()), kept=50, single=50) as load:
            load.settle()
            for number in range(3):
                load.phase = f"rotation {number}"
                for name in ("access", "errors"):
                    (folder / name).rename(folder / f"{name}.{number}")
                process.signal(signal.SIGUSR1)
                until(lambda: (folder / "access").exists() and (folder / "errors").exists(), "new files are there")
                until(lambda number=number: still(folder / f"access.{number}", load), "nobody writes to the old file")
        assert process.stop() == 0
    assert load.lost == []
    lines = [line for file in folder.glob("access*") for line in file.read_text().splitlines()]
    assert len(lines) == load.answered
    assert all('HTTP/1.1" 200 ' in line for line in lines)
    assert "stopped" in (folder / "errors").read_text()


def still(file: Path, load: Load) -> bool:
    before = file.stat().st_size
    load.settle()
    return file.stat().st_size == before


# --pid


@pytest.fixture
def pid_file(folder: Path) -> Path:
    return folder / "master.pid"


def test_the_number_is_there_while_the_master_is(folder: Path, pid_file: Path) -> None:
    with served(folder, "--port=0", "--workers=1", "--pid=master.pid") as process:
        process.port()
        assert pid_file.read_text() == f"{process.pid}\n"
        process.signal(signal.SIGHUP)
        process.line("ready|reload")
        assert process.stop() == 0
    assert not pid_file.exists()


@pytest.mark.parametrize("content", ["{ended}\n", "", "no number\n"])
def test_a_stale_number_is_replaced(folder: Path, pid_file: Path, content: str) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    pid_file.write_text(content.format(ended=ended.pid))
    with served(folder, "--port=0", "--workers=1", "--pid=master.pid") as process:
        process.port()
        assert pid_file.read_text() == f"{process.pid}\n"
        assert process.stop() == 0
    assert not pid_file.exists()


def test_a_living_number_is_respected(folder: Path, pid_file: Path) -> None:
    with served(folder, "--port=0", "--pid=master.pid") as first:
        first.port()
        with served(folder, "--port=0", "--pid=master.pid") as second:
            said = second.line("master.pid")
            assert str(first.pid) in said.string
            assert second.wait() in (1, 2)
            assert not any("Traceback" in line for line in second.lines)
        assert pid_file.read_text() == f"{first.pid}\n"
        assert first.stop() == 0


def test_a_file_of_somebody_else_is_left_alone(folder: Path, pid_file: Path) -> None:
    with served(folder, "--port=0", "--pid=master.pid") as process:
        process.port()
        pid_file.write_text(f"{os.getpid()}\n")
        assert process.stop() == 0
    assert pid_file.read_text() == f"{os.getpid()}\n"

"""The file of `--pid`."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process import running
from tests.supervision.master import master_of, write_application
from wsgiraw.errors import ConfigError
from wsgiraw.pidfile import PidFile


def test_it_names_the_process_and_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    file = PidFile(str(path))
    assert not path.exists()
    file.write()
    assert path.read_text() == f"{os.getpid()}\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]
    file.remove()
    assert not path.exists()


def test_a_living_process_is_refused_unless_we_succeed_it(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        path.write_text(f"{other.pid}\n")
        with pytest.raises(ConfigError, match=f"process {other.pid} is running: stop it"):
            PidFile(str(path))
        file = PidFile(str(path), predecessor=other.pid)
        file.remove()
        assert path.exists()  # it is the other's
        file.write()
        assert path.read_text() == f"{os.getpid()}\n"
        other.communicate(b"\n")
    path.write_text(f"{other.pid}\n")
    PidFile(str(path))  # it has ended


@pytest.mark.parametrize("text", ["", "nonsense", "-1", "0", "9" * 30, str(2**40), "\0"])
def test_what_names_no_process_is_overwritten(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pid"
    path.write_text(text)
    PidFile(str(path)).write()
    assert path.read_text() == f"{os.getpid()}\n"


def test_a_file_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        PidFile(str(tmp_path))
    with pytest.raises(ConfigError, match="No such file or directory"):
        PidFile(str(tmp_path / "none" / "pid")).write()


@pytest.mark.parametrize("workers", [0, 1])
def test_by_command(tmp_path: Path, workers: int) -> None:
    with master_of(workers, tmp_path, "--pid=pid") as master:
        assert (tmp_path / "pid").read_text() == f"{master.process.pid}\n"
        with running(tmp_path, "workers_app:app", "--port=0", "--pid=pid") as second:
            assert second.wait() == 2
            assert "is running" in second.lines[-1]
        master.reload() if workers else None
        assert (tmp_path / "pid").read_text() == f"{master.process.pid}\n"
        assert master.process.stop() == 0
    assert not (tmp_path / "pid").exists()


def test_after_a_kill_it_is_no_obstacle(tmp_path: Path) -> None:
    write_application(tmp_path)
    with master_of(1, tmp_path, "--pid=pid") as master:
        master.process.signal(signal.SIGKILL)
        master.process.popen.wait()
    with master_of(1, tmp_path, "--pid=pid") as master:
        assert (tmp_path / "pid").read_text() == f"{master.process.pid}\n"
        assert master.process.stop() == 0

"""SIGUSR2 under load: a new master on the same sockets, and the old one goes once the new one is ready."""

import os
import signal
from pathlib import Path

import pytest

from tests.supervision.load.clients import Load
from tests.supervision.load.connection import Address
from tests.supervision.load.processes import alive, children
from tests.supervision.load.site import DEFAULT, served, write_site
from tests.supervision.load.waiting import until

TIMES = 10


def number_in(file: Path) -> int:
    """Return the number in a file; 0 if there is none at the moment."""
    try:
        return int(file.read_text() or 0)
    except FileNotFoundError:
        return 0


@pytest.mark.parametrize(("kind", "times"), [("tcp", TIMES), ("unix", 2)])
def test_upgrades_lose_nothing(folder: Path, strategy: str, kind: str, times: int) -> None:
    if strategy != DEFAULT:
        times = min(times, 3)
    path, pid_file = folder / "socket", folder / "master.pid"
    bind = "127.0.0.1:0" if kind == "tcp" else f"unix:{path}"
    masters = []
    with served(folder, f"--bind={bind}", "--workers=2", f"--strategy={strategy}", "--pid=master.pid") as process:
        address: Address = ("127.0.0.1", process.port()) if kind == "tcp" else str(path)
        until(lambda: number_in(pid_file) == process.pid and path.exists() == (kind == "unix"), "it listens")
        with Load(address) as load:
            load.settle()
            for number in range(times):
                load.phase = f"upgrade {number}"
                write_site(folder, version=f"2.{number}")
                master = number_in(pid_file)
                masters.append(master)
                os.kill(master, signal.SIGUSR2)
                if master == process.pid:
                    assert process.popen.wait(20) == 0
                until(lambda master=master: not alive(master), f"the old master is gone, {load.phase}")
                until(lambda master=master: number_in(pid_file) not in (0, master), f"a new number, {load.phase}")
                until(
                    lambda: len((now := children(number_in(pid_file))) & load.pids) == len(now) == 2,
                    f"the new workers answer, {load.phase}",
                )
            load.phase = "after the last"
            load.settle()
            until(lambda: len(children(number_in(pid_file))) == 2, "the last generation is alone")
        assert load.lost == []
        last = number_in(pid_file)
        assert last not in masters
        assert len(set(masters)) == times
        assert list(load.versions)[-1] == f"2.{times - 1}"
        os.kill(last, signal.SIGTERM)
        until(lambda: not alive(last), "the last master ends")
        until(lambda: not pid_file.exists() and not path.exists(), "its files are gone")


def test_an_upgrade_that_fails_changes_nothing(folder: Path) -> None:
    with served(folder, "--port=0", "--workers=2", "--pid=master.pid") as process:
        with Load(("127.0.0.1", process.port()), kept=20, single=20) as load:
            load.settle()
            before = children(process.pid)
            write_site(folder, version="2", before="import module_that_is_not_there\n")
            process.signal(signal.SIGUSR2)
            process.line("module_that_is_not_there")
            until(lambda: children(process.pid) == before, "the new master has given up")
            assert number_in(folder / "master.pid") == process.pid
            load.settle()
            load.phase = "repaired"
            write_site(folder, version="3")
            process.signal(signal.SIGUSR2)
            assert process.popen.wait(20) == 0
            load.settle()
            until(lambda: load.versions["3"], "the new version answers")
        assert load.lost == []
        assert set(load.versions) == {"1", "3"}
        os.kill(number_in(folder / "master.pid"), signal.SIGTERM)
        until(lambda: not (folder / "master.pid").exists(), "the last master ends")

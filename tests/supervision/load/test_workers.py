"""What a worker is: who it runs as, what hooks hear of it, and what it shares with its master."""

import asyncio
import grp
import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supervision.load.connection import ask
from tests.supervision.load.processes import children
from tests.supervision.load.site import served, write_site
from tests.supervision.load.waiting import until

HOOKS = """
import os

def _note(event):
    def hook(worker):
        assert worker.pid == os.getpid()
        with open("events", "a") as events:
            events.write(f"{event} {worker.number} {worker.generation} {worker.pid}\\n")
    return hook

forked, ready, leaving = _note("forked"), _note("ready"), _note("leaving")
"""
IMPORT_NOTED = "import os\nwith open('events', 'a') as events:\n    events.write(f'imported {os.getpid()}\\n')\n"


def test_hooks_are_called_in_their_order(folder: Path, strategy: str) -> None:
    (folder / "hooks.py").write_text(HOOKS)
    write_site(folder, before=IMPORT_NOTED)
    hooks = ("--post-fork=hooks:forked", "--worker-ready=hooks:ready", "--worker-exit=hooks:leaving")
    with served(folder, "--port=0", "--workers=2", f"--strategy={strategy}", *hooks) as process:
        until(lambda: events(folder).count("ready") == 2, "both workers are ready")
        first = children(process.pid)
        process.signal(signal.SIGHUP)
        until(lambda: events(folder).count("leaving") == 2, "both have been replaced")
        until(lambda: len(children(process.pid)) == 2, "the new ones are alone")
        second = children(process.pid)
        assert process.stop() == 0
    lines = [line.split() for line in (folder / "events").read_text().splitlines()]
    numbers: dict[int, set[str]] = {1: set(), 2: set()}
    for generation, pids in ((1, first), (2, second)):
        for pid in pids:
            own = [line for line in lines if line[-1] == str(pid)]
            assert [line[0] for line in own] == ["forked", "imported", "ready", "leaving"]
            assert len({line[1] for line in own if line[0] != "imported"}) == 1
            assert {line[2] for line in own if line[0] != "imported"} == {str(generation)}
            numbers[generation].add(own[0][1])
    assert numbers[1] == {"1", "2"}
    assert len(numbers[2]) == 2


def events(folder: Path) -> list[str]:
    """Return what has happened so far."""
    file = folder / "events"
    return [line.split()[0] for line in file.read_text().splitlines()] if file.exists() else []


def test_preload_imports_once_in_the_master(folder: Path) -> None:
    write_site(folder, before=IMPORT_NOTED)
    with served(folder, "--port=0", "--workers=2", "--preload") as process:
        address = ("127.0.0.1", process.port())
        assert asyncio.run(ask(address, "/")).pid in children(process.pid)
        assert (folder / "events").read_text() == f"imported {process.pid}\n"
        assert process.stop() == 0


# --user, --group, --umask


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """Where anybody may read and write, unlike in tmp_path."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o777)
    yield path
    shutil.rmtree(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_workers_are_somebody_else(public_folder: Path) -> None:
    nobody, some_group = pwd.getpwnam("nobody"), grp.getgrgid(12)
    write_site(public_folder, when={"/file": "open('made', 'x').close()"})
    who = (f"--user={nobody.pw_name}", f"--group={some_group.gr_name}", "--umask=027", "--pid=master.pid")
    with served(public_folder, "--bind=127.0.0.1:0", "--bind=unix:socket", "--workers=1", *who) as process:
        address = ("127.0.0.1", process.port())
        assert ((public_folder / "socket").owner(), (public_folder / "socket").group()) == (
            nobody.pw_name,
            some_group.gr_name,
        )
        worker = asyncio.run(ask(address, "/file")).pid
        made = (public_folder / "made").stat()
        assert (made.st_uid, made.st_gid, made.st_mode & 0o777) == (nobody.pw_uid, some_group.gr_gid, 0o640)
        assert identity(worker, "Uid") == {str(nobody.pw_uid)}
        assert identity(worker, "Gid") == {str(some_group.gr_gid)}
        assert "0" not in identity(worker, "Groups")
        assert identity(process.pid, "Uid") == {"0"}
        os.kill(worker, signal.SIGKILL)
        process.line(f"worker {worker} ended")
        until(lambda: children(process.pid) and worker not in children(process.pid), "it is replaced")
        successor = asyncio.run(ask(address, "/again")).pid
        assert identity(successor, "Uid") == {str(nobody.pw_uid)}
        assert process.stop() == 0


def identity(pid: int, name: str) -> set[str]:
    """Return the different numbers on a line of /proc/PID/status: real, effective, saved and file system's."""
    lines = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    return set(lines[name].split())


def test_a_user_that_is_not_there(folder: Path) -> None:
    with served(folder, "--port=0", "--user=nobody-of-that-name") as process:
        process.line("nobody-of-that-name")
        assert process.wait() in (1, 2)
        assert not any("Traceback" in line for line in process.lines)

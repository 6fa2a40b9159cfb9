"""Workers that are killed, that cannot start, and masters that are killed."""

import os
import signal
import subprocess
import time
from pathlib import Path

from tests.process import Process, command, environment
from tests.supervision.load.clients import Failure, Load
from tests.supervision.load.conftest import Tool
from tests.supervision.load.processes import alive, children, held_ports, pause
from tests.supervision.load.site import DEFAULT, SITE, served, write_site
from tests.supervision.load.waiting import until

TIMES, FEWER = 20, 4
WORKERS = 4
"""So that there is mostly one that is no longer young."""

YOUNG = 1.0
"""Who dies within so many seconds is taken for a worker that cannot start, and its successor has to wait."""


def kill(pid: int) -> tuple[set[int], float]:
    """Kill a worker; return the clients' ports of the connections it had, and until when they may have begun.

    It stands still while they are read, so no connection that it had is missing, and none is there that it had not.
    """
    pause(pid)
    ports = held_ports(pid)
    now = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    return ports, now


def test_killed_workers_cost_only_what_they_were_at(folder: Path, strategy: str) -> None:
    times = TIMES if strategy == DEFAULT else FEWER
    doomed: list[tuple[set[int], float]] = []
    with served(folder, "--port=0", f"--workers={WORKERS}", f"--strategy={strategy}") as process:
        with Load(("127.0.0.1", process.port())) as load:
            load.settle()
            until(lambda: len(load.pids) == WORKERS, "all answer")
            for number in range(times):
                load.phase = f"kill {number}"
                before = children(process.pid)
                victim = load.eldest(before)
                until(lambda victim=victim: time.monotonic() > load.since[victim] + YOUNG, "it is no longer young")
                doomed.append(kill(victim))
                process.line(rf"worker {victim} ended \(signal SIGKILL\)")
                until(
                    lambda before=before: len((now := children(process.pid)) & load.pids) == WORKERS and now != before,
                    f"a successor answers, {load.phase}",
                )
            load.phase = "after the last"
            load.settle()
        assert process.stop() == 0
    assert [failure for failure in load.lost if not excused(failure, doomed)] == []
    assert len(load.pids) == times + WORKERS


def excused(failure: Failure, doomed: list[tuple[set[int], float]]) -> bool:
    """Whether a connection that failed was one of a killed worker's."""
    return any(failure.port in ports and failure.began < killed for ports, killed in doomed)


def test_a_worker_that_cannot_start_is_tried_more_and_more_rarely(folder: Path) -> None:
    fault = "import os\nif os.path.exists('broken'):\n    raise RuntimeError('as ordered')\n"
    write_site(folder, before=fault)
    with served(folder, "--port=0", "--workers=2") as process:
        with Load(("127.0.0.1", process.port()), kept=20, single=20) as load:
            load.settle()
            (folder / "broken").touch()
            doomed = [kill(min(children(process.pid)))]
            process.line(r"in 1 s.*RuntimeError: as ordered|in 1 s: ")
            process.line(r"in loaded|loaded\.py")  # the traceback
            process.line(r"in 2 s: ")
            assert len(children(process.pid)) <= 2
            load.settle()
            (folder / "broken").unlink()
            until(lambda: len(children(process.pid) & load.pids) == 2, "the second worker answers again")
            load.settle()
        assert process.stop() == 0
    assert [failure for failure in load.lost if not excused(failure, doomed)] == []


def test_workers_do_not_outlive_a_master_that_is_killed(folder: Path, strategy: str) -> None:
    with served(folder, "--port=0", "--workers=2", f"--strategy={strategy}") as process:
        with Load(("127.0.0.1", process.port()), kept=20, single=20) as load:
            load.settle()
        workers = children(process.pid)
        assert len(workers) == 2
        process.signal(signal.SIGKILL)
        until(lambda: not any(map(alive, workers)), "the workers end")


def test_as_process_1_it_reaps_what_it_did_not_start(folder: Path, needs: Tool) -> None:
    unshare = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    needs(*unshare, "true")
    os.mkfifo(folder / "release")
    write_site(folder, before="import subprocess\nsubprocess.run(['sh', '-c', 'read line < release &'], check=True)\n")
    with subprocess.Popen(
        [*unshare, *command(SITE, "--port=0")], cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True
    ) as popen:
        try:
            process = Process(popen)
            process.port()
            (master,) = children(popen.pid)
            until(lambda: len(children(master)) == 2, "the worker and an orphan")
            (folder / "release").write_text("now\n")
            until(lambda: len(children(master)) == 1, "the orphan has ended and is no zombie")
            os.kill(master, signal.SIGTERM)
            assert process.wait() == 0
            assert process.lines[-1].endswith("stopped\n")
        finally:
            popen.kill()

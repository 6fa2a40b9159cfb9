"""WatchdogSec=: pings for as long as the loop turns, the master's or, without one, that which serves.

That they come on all strategies is seen in test_notify.py.
"""

import signal
import socket
from pathlib import Path

from tests.process import running
from tests.strategies.applications import GET, read_reply
from tests.supervision.master import until
from tests.systemd.manager import NotifySocket, passing

APP = "workers_app:app"
PORT = "--port=0"
INTERVAL = 0.2
"""Seconds of WatchdogSec=."""
USEC = "200000"
GATE = GET.replace(b"/", b"/gate", 1)


def test_a_stuck_loop_is_not_kept_alive(folder: Path, systemd: NotifySocket) -> None:
    options = (APP, PORT, "--strategy=eventloop", "--workers=0")
    with (
        running(folder, *options, NOTIFY_SOCKET=systemd.name, WATCHDOG_USEC=USEC) as process,
        process.connect(process.port()) as client,
        client.makefile("rb") as stream,
    ):
        systemd.hear("READY", "STATUS")
        systemd.ping()
        client.sendall(GATE)
        with (folder / "gate").open("w"):  # opens once the application has
            systemd.rest()
            assert len(systemd.rest(5 * INTERVAL)) <= 1  # it has turned since the last look, so as to come here
        assert read_reply(stream).status == 200
        systemd.ping()
        assert process.stop() == 0


def test_a_loop_beside_a_stuck_application_is_kept_alive(folder: Path, systemd: NotifySocket, workers: int) -> None:
    """On a thread beside the loop, or in a worker, whom the master minds."""
    options = (APP, PORT, f"--strategy={'eventloop' if workers else 'handoff'}", f"--workers={workers}")
    with (
        running(folder, *options, NOTIFY_SOCKET=systemd.name, WATCHDOG_USEC=USEC) as process,
        process.connect(process.port()) as client,
        client.makefile("rb") as stream,
    ):
        systemd.hear("READY", "STATUS")
        client.sendall(GATE)
        with (folder / "gate").open("w"):
            systemd.rest()
            for _ in range(3):
                systemd.ping()
        assert read_reply(stream).status == 200
        assert process.stop() == 0


def test_a_stuck_master_is_not_kept_alive(folder: Path, systemd: NotifySocket) -> None:
    with running(folder, APP, PORT, NOTIFY_SOCKET=systemd.name, WATCHDOG_USEC=USEC) as process:
        systemd.hear("READY", "STATUS")
        systemd.ping()
        process.signal(signal.SIGSTOP)
        state = Path(f"/proc/{process.pid}/stat")
        until(lambda: state.read_text().rpartition(")")[2].split()[0] == "T", "it has been stopped")
        systemd.rest()
        assert systemd.rest(3 * INTERVAL) == []
        process.signal(signal.SIGCONT)
        systemd.ping()
        assert process.stop() == 0


def test_the_watchdog_of_another_process(folder: Path, systemd: NotifySocket, workers: int) -> None:
    variables = {"NOTIFY_SOCKET": systemd.name, "WATCHDOG_USEC": USEC, "WATCHDOG_PID": "1"}
    with running(folder, APP, PORT, f"--workers={workers}", **variables) as process:
        systemd.hear("READY", "STATUS")
        assert systemd.rest(2 * INTERVAL) == []
        assert process.stop() == 0


def test_the_watchdog_of_this_process(folder: Path, systemd: NotifySocket) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as ours,
        passing(folder, ours, APP, NOTIFY_SOCKET=systemd.name, WATCHDOG_USEC=USEC) as process,
    ):
        systemd.hear("READY", "STATUS")
        systemd.ping()
        assert process.stop() == 0


def test_none_without_a_watchdog(folder: Path, systemd: NotifySocket) -> None:
    """Nor a thread: an idle server wakes up never."""
    options = (APP, PORT, "--workers=0", "--strategy=eventloop")
    for variables, threads in (({}, 1), ({"WATCHDOG_USEC": USEC}, 2)):
        with running(folder, *options, NOTIFY_SOCKET=systemd.name, **variables) as process:
            systemd.hear("READY", "STATUS")
            assert len(list(Path(f"/proc/{process.pid}/task").iterdir())) == threads
            assert process.stop() == 0
            systemd.hear("STOPPING", "STATUS")
            systemd.rest()

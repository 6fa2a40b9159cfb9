"""What a service says of itself: sd_notify(3), Type=notify and notify-reload of systemd.service(5)."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.process import curl, running
from tests.supervision.master import lives, until, write_application
from tests.systemd.manager import APPLICATION, NotifySocket

APP = "workers_app:app"
PORT = "--port=0"
READY = ("READY", "STATUS")
RELOADING = ("RELOADING", "MONOTONIC_USEC", "STATUS")
STOPPING = ("STOPPING", "STATUS")
WAITS_FOR_GO = "import os, time\nwhile not os.path.exists('go'): time.sleep(0.01)\n"


def test_from_start_to_stop(folder: Path, systemd: NotifySocket, strategy: str, workers: int) -> None:
    options = (APP, PORT, f"--strategy={strategy}", f"--workers={workers}")
    with running(folder, *options, NOTIFY_SOCKET=systemd.name, WATCHDOG_USEC="200000") as process:
        heard = systemd.hear(*READY)
        url = process.line(r"http://\S+")[0]
        who = ("no master", "1 worker", "2 workers")[workers]
        assert heard == (process.pid, {"READY": "1", "STATUS": f"{url} · {who} · {strategy}"})
        assert {systemd.ping().pid for _ in range(3)} == {process.pid}
        assert curl(url)
        assert process.stop() == 0
        assert systemd.hear(*STOPPING) == (process.pid, {"STOPPING": "1", "STATUS": "stopping"})
        assert all(heard.keeps_alive for heard in systemd.rest())


def test_an_abstract_socket(folder: Path) -> None:
    systemd = NotifySocket(f"@wsgiraw-{os.getpid()}")
    with running(folder, APP, PORT, NOTIFY_SOCKET=systemd.name) as process:
        systemd.hear(*READY)
        assert process.stop() == 0
        systemd.hear(*STOPPING)
    systemd.close()


@pytest.mark.parametrize("strategy", ["serial", "threaded", "forking"])
def test_other_strategies_without_a_master(folder: Path, systemd: NotifySocket, strategy: str) -> None:
    options = (APP, PORT, f"--strategy={strategy}", "--workers=0")
    with running(folder, *options, NOTIFY_SOCKET=systemd.name, WATCHDOG_USEC="200000") as process:
        systemd.hear(*READY)
        systemd.ping()
        assert curl(process.line(r"http://\S+")[0])
        systemd.ping()
        assert process.stop() == 0
        systemd.hear(*STOPPING)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_drain_is_stopping(folder: Path, systemd: NotifySocket, number: int, workers: int) -> None:
    options = (APP, PORT, f"--workers={workers}", "--drain-delay=3600")
    with running(folder, *options, NOTIFY_SOCKET=systemd.name) as process:
        systemd.hear(*READY)
        url = process.line(r"http://\S+")[0]
        process.signal(number)
        systemd.hear(*STOPPING)
        if number == signal.SIGTERM:
            assert curl(url)
            process.signal(number)
        assert process.wait() == 0
        assert systemd.rest() == []


def test_the_environment_of_the_application(folder: Path, systemd: NotifySocket, workers: int) -> None:
    variables = {"NOTIFY_SOCKET": systemd.name, "WATCHDOG_USEC": "60000000", "LISTEN_PID": "1", "LISTEN_FDS": "1"}
    with running(folder, APP, PORT, f"--workers={workers}", **variables) as process:
        url = process.line(r"http://\S+")[0]
        (folder / "seen").write_text("")
        curl("-o", str(folder / "seen"), "-D", "-", f"{url}/variables")
        seen = {line.partition("=")[0] for line in (folder / "seen").read_text().splitlines()}
        assert "PATH" in seen
        assert not {name for name in seen if name.startswith(("NOTIFY_", "WATCHDOG_", "LISTEN_"))}
        assert process.stop() == 0


def test_a_start_that_fails_says_nothing(folder: Path, systemd: NotifySocket, workers: int) -> None:
    write_application(folder, "import no_such_library")
    with running(folder, APP, PORT, f"--workers={workers}", NOTIFY_SOCKET=systemd.name) as process:
        assert process.wait() == 1
        assert systemd.rest() == []


def test_nobody_hears(folder: Path, workers: int) -> None:
    options = (APP, PORT, f"--workers={workers}")
    with running(folder, *options, NOTIFY_SOCKET=str(folder / "none"), WATCHDOG_USEC="100000") as process:
        assert curl(process.line(r"http://\S+")[0])
        process.line("systemd does not hear us at /.*/none: No such file or directory")
        assert process.stop() == 0
        assert sum("does not hear" in line for line in process.lines) == 1


# Reloading


def test_a_reload(folder: Path, systemd: NotifySocket) -> None:
    with running(folder, APP, PORT, NOTIFY_SOCKET=systemd.name) as process:
        first = systemd.hear(*READY)
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        process.signal(signal.SIGHUP)
        heard = systemd.hear(*RELOADING)
        assert before <= int(heard.fields["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert heard.fields["STATUS"] == "reloading"
        assert systemd.hear(*READY) == first
        (folder / "wsgiraw.toml").write_text('workers = 2\nstrategy = "pooled"\n')
        process.signal(signal.SIGHUP)
        systemd.hear(*RELOADING)
        assert systemd.hear(*READY).fields["STATUS"].endswith(" · 2 workers · pooled")
        assert process.stop() == 0
        systemd.hear(*STOPPING)


def test_a_reload_that_fails(folder: Path, systemd: NotifySocket) -> None:
    with running(folder, APP, PORT, NOTIFY_SOCKET=systemd.name) as process:
        status = systemd.hear(*READY).fields["STATUS"]
        write_application(folder, "import no_such_library")
        process.signal(signal.SIGHUP)
        systemd.hear(*RELOADING)
        assert systemd.hear(*READY).fields["STATUS"].startswith(f"{status} · not reloaded: ")
        (folder / "wsgiraw.toml").write_text("workers = 0")
        process.signal(signal.SIGHUP)
        systemd.hear(*RELOADING)
        assert "not reloaded: workers 0 takes a restart" in systemd.hear(*READY).fields["STATUS"]
        (folder / "wsgiraw.toml").unlink()
        write_application(folder, APPLICATION)
        process.signal(signal.SIGHUP)
        systemd.hear(*RELOADING)
        assert systemd.hear(*READY).fields["STATUS"] == status
        assert process.stop() == 0


def test_a_reload_during_another(folder: Path, systemd: NotifySocket) -> None:
    """Systemd waits for an end after the last beginning; a reload that fails does not end one that goes on."""
    with running(folder, APP, PORT, NOTIFY_SOCKET=systemd.name) as process:
        systemd.hear(*READY)
        write_application(folder, WAITS_FOR_GO + APPLICATION)
        process.signal(signal.SIGHUP)
        systemd.hear(*RELOADING)
        process.signal(signal.SIGHUP)
        systemd.hear(*RELOADING)
        (folder / "wsgiraw.toml").write_text("workers = 0")
        process.signal(signal.SIGHUP)
        systemd.hear(*RELOADING)
        process.line("not reloaded, everything stays as it was")
        process.signal(signal.SIGTTIN)
        assert systemd.rest() == []
        (folder / "go").touch()
        assert " · 2 workers · " in systemd.hear(*READY).fields["STATUS"]
        assert process.stop() == 0
        systemd.hear(*STOPPING)


def test_more_and_fewer_workers(folder: Path, systemd: NotifySocket) -> None:
    with running(folder, APP, PORT, NOTIFY_SOCKET=systemd.name) as process:
        systemd.hear(*READY)
        for number, who in (
            (signal.SIGTTIN, "2 workers"),
            (signal.SIGTTOU, "1 worker"),
            (signal.SIGWINCH, "0 workers"),
        ):
            process.signal(number)
            assert f" · {who} · " in systemd.hear(*READY).fields["STATUS"]
        assert process.stop() == 0


# Upgrading


def test_an_upgrade(folder: Path, systemd: NotifySocket) -> None:
    """With NotifyAccess=main systemd hears the main process alone, with NotifyAccess=all both."""
    options = (APP, PORT, "--workers=2", "--pid=pid")
    with running(folder, *options, NOTIFY_SOCKET=systemd.name, WATCHDOG_USEC="400000") as process:
        systemd.hear(*READY)
        url = process.line(r"http://\S+")[0]
        process.signal(signal.SIGUSR2)
        heard = systemd.hear("MAINPID", *READY)
        new = heard.pid
        assert new != process.pid
        assert heard.fields["MAINPID"] == str(new)
        try:
            assert systemd.hear("MAINPID", "READY") == (process.pid, {"MAINPID": str(new), "READY": "1"})
            assert process.popen.wait(20) == 0
            assert curl(url)
            until(lambda: systemd.ping().pid == new, "the new one is kept alive")
        finally:
            os.kill(new, signal.SIGTERM)
        assert systemd.hear(*STOPPING).pid == new
        until(lambda: not lives(new), "the new master has ended")


def test_an_upgrade_that_fails_says_nothing(folder: Path, systemd: NotifySocket) -> None:
    with running(folder, APP, PORT, NOTIFY_SOCKET=systemd.name) as process:
        systemd.hear(*READY)
        write_application(folder, "import no_such_library")
        process.signal(signal.SIGUSR2)
        process.line("not upgraded, everything stays as it was")
        write_application(folder, WAITS_FOR_GO)
        process.signal(signal.SIGUSR2)
        process.line("upgrading: the new master is")
        assert process.stop() == 0  # and the new one with it
        assert systemd.hear(*STOPPING).pid == process.pid
    assert systemd.rest() == []

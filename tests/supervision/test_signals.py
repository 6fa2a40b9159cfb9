"""What each signal does to a master."""

import os
import pty
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.process import Process, command, environment
from tests.supervision.master import Master, lives, master_of, until, write_application
from tests.wire import PATIENCE


def test_reload_brings_new_workers_with_new_code(master: Master) -> None:
    before = master.workers()
    write_application(
        master.folder, "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'new']\n"
    )
    master.reload()
    until(lambda: not any(map(lives, before)), "the old ones have ended")
    assert master.ask() == "new"
    master.has(2)


def test_many_reloads_at_once_end_with_as_many_workers_as_wanted(master: Master) -> None:
    for _ in range(20):
        master.process.signal(signal.SIGHUP)
        time.sleep(0.005)  # two at once are one to the kernel
    master.process.line(r"\] reloaded")
    until(lambda: len(master.workers()) == 2, "two workers")
    assert int(master.ask().split()[0]) in master.workers()


@pytest.mark.parametrize("fault", ["import no_such_library", "import os; os._exit(9)"])
def test_a_reload_that_fails_changes_nothing(master: Master, fault: str) -> None:
    pid = int(master.ask().split()[0])
    before = master.has(2)
    write_application(master.folder, fault)
    master.process.signal(signal.SIGHUP)
    master.process.line("not reloaded, everything stays as it was: .*(fails on import|exit code 9)")
    until(lambda: master.workers() == before, "the old ones are alone")
    assert pid in before
    write_application(master.folder)
    master.reload()
    until(lambda: not before & master.workers(), "the old ones have ended")
    assert master.ask().endswith("True")


def test_a_reload_reads_the_configuration_again(tmp_path: Path) -> None:
    settings = tmp_path / "wsgiraw.toml"
    with master_of(1, tmp_path, "--strategy=eventloop") as master:
        settings.write_text("max_queue = 'many'\n")
        master.process.signal(signal.SIGHUP)
        master.process.line("not reloaded, everything stays as it was: max_queue 'many'")
        settings.write_text("error_logfile = 'errors'\naccess_logfile = 'access'\n")
        master.process.signal(signal.SIGHUP)
        until(lambda: (tmp_path / "errors").exists(), "it has a new error log")
        until(lambda: "reloaded" in (tmp_path / "errors").read_text(), "it is used")

        def logged() -> bool:
            master.ask("/x")  # of the old worker perhaps, until that has gone
            return '"GET /x HTTP/1.1" 200' in (tmp_path / "access").read_text()

        until(logged, "the access log is used")


def test_a_reload_keeps_opens_and_closes_sockets(tmp_path: Path) -> None:
    write_application(tmp_path)
    settings = tmp_path / "wsgiraw.toml"
    settings.write_text("app = 'workers_app:app'\nbind = ['unix:one', 'unix:two']\n")
    with subprocess.Popen(
        command(), cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as popen:
        process = Process(popen)
        process.line("unix:one unix:two")
        kept = (tmp_path / "two").stat().st_ino
        settings.write_text("app = 'workers_app:app'\nbind = ['unix:two', 'unix:three']\n")
        process.signal(signal.SIGHUP)
        process.line("reloaded")
        until(lambda: not (tmp_path / "one").exists(), "the first is removed")
        assert (tmp_path / "two").stat().st_ino == kept
        assert (tmp_path / "three").exists()
        settings.write_text("app = 'workers_app:nothing'\nbind = ['unix:four']\n")
        process.signal(signal.SIGHUP)
        process.line("not reloaded")
        until(lambda: not (tmp_path / "four").exists(), "what was opened in vain is closed")
        assert process.stop() == 0
    assert not list(tmp_path.glob("t*"))


def test_one_more_and_one_less(master: Master) -> None:
    master.has(2)
    master.process.signal(signal.SIGTTIN)
    master.has(3)
    for left in (2, 1):
        master.process.signal(signal.SIGTTOU)
        master.has(left)
    master.process.signal(signal.SIGTTOU)  # never the last
    assert master.ask()
    master.reload()
    master.has(2)


def test_sigwinch_retires_all_workers(tmp_path: Path) -> None:
    write_application(tmp_path)
    with subprocess.Popen(
        command("workers_app:app", "--port=0", "--workers=2"),
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,  # at a terminal it would only mean that the window has another size
        stderr=subprocess.PIPE,
        text=True,
    ) as popen:
        process = Process(popen)
        master = Master(tmp_path, process)
        master.ask()
        process.signal(signal.SIGWINCH)
        master.has(0)
        process.signal(signal.SIGTTIN)
        master.has(1)
        assert master.ask()
        master.reload()
        master.has(2)
        assert process.stop() == 0


def test_at_a_terminal_sigwinch_means_nothing_and_closing_it_ends_all(tmp_path: Path) -> None:
    write_application(tmp_path)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        program = command("workers_app:app", "--port=0", "--workers=2", "--pid=pid")
        os.execve(program[0], program, environment())
    try:
        until(lambda: (tmp_path / "pid").exists(), "it serves")
        os.kill(pid, signal.SIGWINCH)
        said = b""
        while not (url := re.search(rb"http://\S+", said)):
            said += os.read(terminal, 1000)
        os.kill(pid, signal.SIGUSR1)  # after SIGWINCH
        master = Path(f"/proc/{pid}/task/{pid}/children")
        assert len(master.read_text().split()) == 2
        assert url
    finally:
        os.close(terminal)  # the kernel sends SIGHUP
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert not (tmp_path / "pid").exists()


@pytest.mark.parametrize("workers", [0, 2])
def test_logs_are_reopened(tmp_path: Path, workers: int) -> None:
    options = ("--error-logfile=errors", "--access-logfile=access", "--strategy=eventloop")
    with master_of(workers, tmp_path, *options) as master:
        master.ask("/before")
        for name in ("errors", "access"):
            (tmp_path / name).rename(tmp_path / f"{name}.1")
        master.process.signal(signal.SIGUSR1)

        def written() -> bool:
            master.ask("/after")
            return all((tmp_path / name).exists() for name in ("errors", "access")) and (
                "/after" in (tmp_path / "access").read_text()
            )

        until(written, "the new files are used")
        assert "/before" in (tmp_path / "access.1").read_text()
        assert master.process.stop() == 0
        assert "stopped" in (tmp_path / "errors").read_text()


def test_a_dump_of_stacks(master: Master) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(master.ask, "/wait")
        master.process.line("waiting")
        master.process.signal(signal.SIGPWR)
        master.process.line("GET /wait of 127.0.0.1 for [0-9.]+ s")
        master.process.line(r"workers_app\.py.* in app")
        master.let_go()
        assert answer.result(PATIENCE)


def test_a_reload_ends_where_the_application_hangs_on_import(tmp_path: Path) -> None:
    with master_of(1, tmp_path, "--loop-timeout=1") as master:
        (tmp_path / "workers_app.py").write_text("import time\n\nwhile True:\n    time.sleep(60)\n")
        master.process.signal(signal.SIGHUP)
        master.process.line("not reloaded, everything stays as it was: a worker was stuck before it was ready")
        assert master.ask("/")

"""`--workers N` as a user runs it: processes are replaced when they die, and all of them end with the master."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.process import Process, curl, environment, running
from tests.supervision.master import Master, lives, master_of, until, write_application
from tests.wire import PATIENCE

CLOSED = r"closed connection|reset"


def test_several_processes_serve_and_all_end_with_the_master(master: Master) -> None:
    pid, multiprocess = master.ask().split()
    assert int(pid) in master.workers()
    assert multiprocess == "True"
    workers = master.workers()
    assert master.process.stop() == 0
    assert not any(map(lives, workers))


def test_a_single_worker_has_a_master_and_is_no_multiprocess(tmp_path: Path) -> None:
    with master_of(1, tmp_path) as alone:
        pid, multiprocess = alone.ask().split()
        assert alone.workers() == {int(pid)}
        assert multiprocess == "False"


def test_a_worker_that_is_killed_is_replaced(master: Master) -> None:
    pid = int(master.ask().split()[0])
    os.kill(pid, signal.SIGKILL)
    assert master.process.line(r"worker (\d+) ended \(signal SIGKILL\): it is replaced")[1] == str(pid)
    assert pid not in master.has(2)
    assert int(master.ask().split()[0]) != pid


def test_a_worker_that_exits_is_replaced(master: Master) -> None:
    with pytest.raises(OSError, match=CLOSED):
        master.ask("/exit")
    master.process.line(r"worker \d+ ended \(exit code 7\)")
    assert master.ask().endswith("True")
    master.has(2)


def test_a_worker_killed_by_a_signal_without_a_name_is_replaced(master: Master) -> None:
    os.kill(int(master.ask().split()[0]), 36)
    master.process.line(r"worker \d+ ended \(signal 36\)")
    master.has(2)


def test_workers_finish_and_end_when_their_master_is_no_more(master: Master) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(master.ask, "/wait")
        master.process.line("waiting")
        workers = master.workers()
        master.process.popen.kill()
        master.process.popen.wait()
        until(lambda: sum(map(lives, workers)) == 1, "the idle one has ended")
        master.let_go()
        assert answer.result(PATIENCE).endswith("True")
    until(lambda: not any(map(lives, workers)), "all have ended")


def test_a_crash_loop_slows_down_and_says_why(master: Master) -> None:
    write_application(master.folder, "import no_such_library\n")
    os.kill(min(master.workers()), signal.SIGKILL)
    for pause in (1, 2):
        master.process.line(rf"ended \(exit code 1\) at its start: the next starts in {pause} s: .* fails on import")
        master.process.line("ModuleNotFoundError: No module named 'no_such_library'")
    assert int(master.ask().split()[0]) in master.workers()  # the healthy one serves
    write_application(master.folder)
    master.reload()  # what is repaired need not wait
    master.has(2)


@pytest.mark.parametrize(
    ("source", "code", "said"),
    [
        ("import no_such_library", 1, "ModuleNotFoundError: No module named 'no_such_library'"),
        ("import os; os._exit(3)", 1, r"a worker ended \(exit code 3\) before it was ready"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 1, r"ended \(signal SIGKILL\) before it was"),
        ("app = 1", 1, "not a callable"),
    ],
)
def test_an_application_that_cannot_be_served_ends_it_all(tmp_path: Path, source: str, code: int, said: str) -> None:
    write_application(tmp_path, source)
    with running(tmp_path, "workers_app:app", "--port=0", "--workers=3", "--pid=pid") as process:
        process.line(f"^wsgiraw: .*{said}")
        assert process.wait() == code
    assert sum(line.startswith("wsgiraw: ") for line in process.lines) == 1  # said once, not by each worker
    assert not (tmp_path / "pid").exists()


def test_a_hook_that_fails_ends_it_all(tmp_path: Path) -> None:
    write_application(tmp_path)
    with running(tmp_path, "workers_app:app", "--port=0", "--post-fork=workers_app:nothing") as process:
        process.line("^wsgiraw: hook post_fork 'workers_app:nothing' failed: AttributeError")
        assert process.wait() == 2


def test_hooks_are_called_with_the_worker(tmp_path: Path) -> None:
    (tmp_path / "hooks.py").write_text(
        "import os, sys\n"
        "def said(name, worker):\n"
        "    assert worker.pid == os.getpid()\n"
        "    line = f'{name} {worker.number} {worker.generation} {\"workers_app\" in sys.modules}\\n'\n"
        "    os.write(2, line.encode())\n"  # in one piece
        "def forked(worker): said('forked', worker)\n"
        "def ready(worker): said('ready', worker)\n"
        "def leaves(worker): said('leaves', worker)\n"
    )
    write_application(tmp_path)
    hooks = ("--post-fork=hooks:forked", "--worker-ready=hooks:ready", "--worker-exit=hooks:leaves")
    with running(tmp_path, "workers_app:app", "--port=0", *hooks) as process:
        process.line("^forked 1 1 False$")
        process.line("^ready 1 1 True$")
        process.line("Ctrl-C")
        process.signal(signal.SIGHUP)
        process.line("^forked 2 2 False$")
        process.line("^ready 2 2 True$")
        process.line("^leaves 1 1 True$")
        assert process.stop() == 0
        assert any(line == "leaves 2 2 True\n" for line in process.lines)


def test_preload_imports_once_in_the_master(tmp_path: Path) -> None:
    write_application(tmp_path, "import os\nprint('imported by', os.getpid())\ndef app(environ, start_response): 0\n")
    with running(tmp_path, "workers_app:app", "--port=0", "--workers=2", "--preload") as process:
        process.line("Ctrl-C")
        process.signal(signal.SIGHUP)
        process.line("reloaded")
        assert process.stop() == 0
        assert process.popen.stdout is not None
        assert process.popen.stdout.read() == f"imported by {process.pid}\n"


def test_a_program_can_serve_what_it_has_in_workers(tmp_path: Path) -> None:
    (tmp_path / "start.py").write_text(
        "import os, wsgiraw\n"
        "master = os.getpid()\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [f'{os.getppid() == master}'.encode()]\n"
        "wsgiraw.serve(app, port=0, workers=2)\n"
        "print('after')\n"
    )
    with subprocess.Popen(
        [sys.executable, "start.py"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as popen:
        process = Process(popen)
        assert curl(f"http://127.0.0.1:{process.port()}/") == "True"
        assert process.stop() == 0
        assert popen.stdout is not None
        assert popen.stdout.read() == "after\n"

"""Servers that really start, answer and end, and those which would rather not."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from tests.strategies.waiting import eventually
from tests.wire import PATIENCE
from wsgiraw.compare.agreement import agree
from wsgiraw.compare.requests import Wanted
from wsgiraw.compare.servers import session, usage
from wsgiraw.compare.servers.chosen import chosen
from wsgiraw.compare.servers.interruption import uninterrupted
from wsgiraw.compare.servers.peers import PEERS
from wsgiraw.compare.servers.process import ServerFailed, free_port, running
from wsgiraw.compare.servers.specification import environment
from wsgiraw.compare.servers.usage import PeakPss, cpu_seconds, pss
from wsgiraw.errors import ConfigError

ROOT = Path(__file__).parent.parent.parent
GET = Wanted("GET", "/add/2/3")
READY = GET.octets("127.0.0.1")
ONE = {min(os.sched_getaffinity(0))} if hasattr(os, "sched_getaffinity") else None

# It does not care for SIGTERM, and neither does a daemon of its making, which has left its session.
STUBBORN = """
import os, signal, socket, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if not os.fork():
    os.setsid()
    if not os.fork():
        while True:
            signal.pause()
    os._exit(0)
os.wait()
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("it listens", flush=True)
while True:
    client, _ = listener.accept()
    client.recv(4096)
    client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
    client.close()
"""

DRIVER = f"""
import signal, sys
from functools import partial
sys.path.insert(0, {str(ROOT)!r})
from wsgiraw.compare.servers.interruption import interruptible
from wsgiraw.compare.servers.peers import PEERS
from wsgiraw.compare.servers.process import running
ready = b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n"
wsgiref = partial(PEERS["wsgiref"].command, "wsgiref.simple_server:demo_app", workers=1, threads=1)
with interruptible(), running(wsgiref, ready), running(
    lambda port: [sys.executable, "-S", "stubborn.py", str(port)], ready, patience=0.2
) as server:
    print(len(server.pids()), flush=True)
    signal.pause()
"""


def stubborn(folder: Path) -> Callable[[int], list[str]]:
    (folder / "stubborn.py").write_text(STUBBORN)
    return lambda port: [sys.executable, "-S", str(folder / "stubborn.py"), str(port)]


def marked(mark: str) -> list[str]:
    """The processes with this in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_all_that_are_installed_start_agree_and_end() -> None:
    installed = {peer.name: peer for peer in PEERS.values() if peer.version()}
    assert {"wsgiraw", "werkzeug", "wsgiref"} <= installed.keys()

    def start(name: str) -> object:
        command = partial(installed[name].command, "apps.native_calc:app", workers=1, threads=2)
        return running(command, READY, environment=environment({}, str(ROOT)), folder=str(ROOT))

    asked: list[str] = []
    found = agree([GET], {name: partial(start, name) for name in installed}, asked.append)  # type: ignore[misc]
    assert found.failed == found.different == {}
    assert asked == list(installed)
    assert [expected.body for expected in found.expected] == [b"5"]
    assert found.notes["wsgiref"] == "closes the connection after each of its answers"
    assert "wsgiraw" not in found.notes


def test_what_a_server_uses(tmp_path: Path) -> None:
    """Wsgiraw has a master: its processes are found, they run where they were told, and end."""
    command = partial(PEERS["wsgiraw"].command, "apps.native_calc:app", workers=2, threads=1)
    with running(command, READY, ONE, environment=environment({}, str(ROOT)), folder=str(ROOT)) as server:
        eventually(lambda: len(server.pids()) == 3)
        pids = server.pids()
        assert server.pid in pids
        if ONE:
            assert all(os.sched_getaffinity(pid) == ONE for pid in pids)
        assert 0 < cpu_seconds([server.pid]) < cpu_seconds(pids) < 60
        with PeakPss(server.pids) as peak:
            memory = pss(pids)
        assert 2**20 < memory < 2**30
        assert peak.bytes > memory // 2
    assert server.pids() == []
    assert all(gone(pid) for pid in pids)
    assert cpu_seconds(pids) == pss(pids) == 0


def test_cpu_time_of_children_that_have_ended_counts() -> None:
    before = cpu_seconds([os.getpid()])
    burn = "import time\nwhile time.process_time() < 0.1: pass"
    subprocess.run([sys.executable, "-S", "-c", burn], check=True)
    assert cpu_seconds([os.getpid()]) - before > 0.09


def test_what_does_not_want_to_end_is_killed_wherever_it_went(tmp_path: Path) -> None:
    with running(stubborn(tmp_path), READY, patience=0.1) as server:
        pids = server.pids()
        assert len(pids) == 2
        assert len({os.getsid(pid) for pid in pids}) == 2
        assert "it listens" in server.printed()
        server.terminate()
        assert server.wait(0) is None
        assert server.alive()
    assert all(gone(pid) for pid in pids)
    assert "it listens" in server.printed()


HIDDEN = """
import os, socket, sys
if not os.fork():
    os.setsid()
    os.execve(sys.executable, [sys.executable, "-S", "-c", "import signal; signal.pause()"], {})
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    client, _ = listener.accept()
    client.recv(4096)
    client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
    client.close()
"""


def test_what_left_its_session_and_its_environment_is_held() -> None:
    """Only by its parent it can be found, which ends before it."""
    with running(lambda port: [sys.executable, "-S", "-c", HIDDEN, str(port)], READY) as server:
        child, parent = set(server.pids()) - {server.pid}, server.pid
        eventually(lambda: not Path(f"/proc/{max(child)}/environ").read_bytes())
    assert gone(parent)
    eventually(lambda: all(gone(pid) for pid in child))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_end_we_leave_no_process(tmp_path: Path, number: signal.Signals) -> None:
    stubborn(tmp_path)
    (tmp_path / "driver.py").write_text(DRIVER)
    mark = f"mark={uuid4().hex}"
    with subprocess.Popen(
        [sys.executable, "driver.py"],
        cwd=tmp_path,
        env={**os.environ, "COMPARE_TEST": mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as driver:
        assert driver.stdout
        assert driver.stdout.readline() == b"2\n"
        assert len(marked(mark)) == 4
        driver.send_signal(number)
        _, said = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == (143 if number == signal.SIGTERM else -signal.SIGINT), said
    assert marked(mark) == []


def test_an_interrupt_waits_until_a_server_has_ended() -> None:
    steps = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - it comes where the inner block ends
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            steps.append("inside")
        steps.append("behind")
    assert steps == ["inside"]


def test_elsewhere_than_in_the_main_thread_nothing_is_held_back() -> None:
    steps: list[str] = []

    def inside() -> None:
        with uninterrupted():
            steps.append("inside")

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert steps == ["inside"]


def test_without_proc_the_group_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS; the daemon is out of reach there, so there is none here."""
    monkeypatch.setattr(session, "_PROC", tmp_path)
    monkeypatch.setattr(usage, "_PROC", tmp_path)
    with subprocess.Popen(
        [sys.executable, "-S", "-c", "import signal; signal.pause()"], start_new_session=True
    ) as popen:
        assert session.members(popen.pid, "mark") == []
        assert session.end_all(popen.pid, "mark")
        assert popen.wait(PATIENCE) == -signal.SIGKILL
    with pytest.raises(ConfigError, match="there is none: compare on Linux"):
        cpu_seconds([])
    with pytest.raises(ConfigError):
        pss([])


def failure(*words: str, within: float = PATIENCE) -> str:
    with pytest.raises(ServerFailed) as failed, running(lambda port: [*words, str(port)], READY, within=within):
        pass
    return str(failed.value)


def test_what_is_no_program_is_said() -> None:
    assert failure("no-such-server-at-all") == "no-such-server-at-all cannot be executed: No such file or directory"


def test_a_server_that_ends_at_once_is_quoted() -> None:
    said = failure(sys.executable, "-S", "-c", "import sys; sys.exit('the application is broken')")
    assert said == "it has ended; the last that it printed:\nthe application is broken"


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    program = "import signal; signal.pause()"
    assert failure(sys.executable, "-S", "-c", program, within=0.2) == "it does not answer within 0.2 seconds"


def test_another_port_is_tried_where_one_was_taken(tmp_path: Path) -> None:
    """The first time, somebody else has the port."""
    good = stubborn(tmp_path)
    ports: list[int] = []
    with socket.create_server(("127.0.0.1", free_port())) as taken:

        def command(port: int) -> list[str]:
            ports.append(port)
            return good(taken.getsockname()[1] if len(ports) == 1 else port)

        # What has been taken is listened on, and never answers: the server itself has to end.
        with running(command, READY, patience=0.1) as server:
            assert server.port == ports[1] != ports[0]


def test_a_command_of_ones_own_is_started(tmp_path: Path) -> None:
    stubborn(tmp_path)
    (peer,) = chosen(["cmd:{python} -S stubborn.py {port}"])
    command = partial(peer.command, "any:app", workers=1, threads=1)
    with running(command, READY, folder=str(tmp_path), patience=0.1) as server:
        assert server.command[1:3] == ["-S", "stubborn.py"]

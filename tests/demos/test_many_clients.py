"""The concurrency chapter: each program against `load`, and what is left of children and descriptors."""

import os
import re
import signal
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.demos.conftest import Demo, Start, rest, running
from tests.hostile.kernel import queued
from tests.strategies.waiting import eventually
from tests.supervision.load.processes import children, held_ports, pause, state
from wsgiraw.demos import load
from wsgiraw.demos.iterative import RESPONSE

GET = b"GET / HTTP/1.0\r\n\r\n"


def zombies(demo: Demo) -> int:
    return sum(state(child) == "Z" for child in children(demo.pid))


def descriptors(demo: Demo) -> int:
    return len(list(Path(f"/proc/{demo.pid}/fd").iterdir()))


def test_load_tells_when_each_was_answered(start: Start, capfd: pytest.CaptureFixture[str]) -> None:
    demo = start("iterative", "--seconds", "0.01")
    assert load.run("127.0.0.1", demo.port, clients=3, connections=2) == 0
    *lines, last = capfd.readouterr().out.splitlines()
    assert last == "6 of 6 answered"
    told = [re.fullmatch(r" +([0-9.]+) s: client (.), connection (.): HTTP/1.0 200 OK", line) for line in lines]
    assert sorted((match[2], match[3]) for match in told if match) == [(c, n) for c in "123" for n in "12"]
    times = [float(match[1]) for match in told if match]
    assert times == sorted(times)


def test_load_tells_who_was_not(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    assert load.run("127.0.0.1", port, clients=1, connections=1) == 1
    assert capfd.readouterr().out.endswith(
        "Connection refused after 0 octets\n0 of 1 answered\n"
        f"Nobody serves 127.0.0.1 port {port}: start a demo there first, such as wsgiraw demo iterative.\n"
    )


def test_load_is_a_command(start: Start, tmp_path: Path) -> None:
    demo = start("threads", "--seconds", "0")
    with running(tmp_path / "load.txt", "load", "--port", str(demo.port), "--clients", "2") as client:
        assert client.wait() == 0
        client.says("2 of 2 answered")


def test_iterative_lets_the_others_wait_for_the_silent(start: Start) -> None:
    demo = start("iterative", "--seconds", "0")
    with demo.connect() as silent, demo.connect() as other:
        other.sendall(GET)
        eventually(lambda: queued(demo.port) == 1)
        silent.sendall(GET)
        assert rest(silent) == RESPONSE
        silent.close()
        assert rest(other) == RESPONSE


@pytest.mark.parametrize("name", ["fork", "threads", "nonblocking", "select", "prefork"])
def test_nobody_waits_for_the_silent(start: Start, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    demo = start(name, "--seconds", "0.01")
    with demo.connect() as silent, demo.connect() as gone, demo.connect() as slow:
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        gone.close()
        slow.sendall(GET[:10])
        assert load.run("127.0.0.1", demo.port, clients=5, connections=2) == 0
        assert capfd.readouterr().out.endswith("10 of 10 answered\n")
        slow.sendall(GET[10:])
        assert rest(slow) == RESPONSE
        silent.shutdown(socket.SHUT_WR)  # lenient, as they all are: an empty request is one, too
        assert rest(silent) == RESPONSE
    demo.says("done with|answered")


@pytest.mark.parametrize("name", ["nonblocking", "select"])
def test_who_does_not_close_is_closed(start: Start, name: str) -> None:
    demo = start(name, "--seconds", "0")
    with demo.connect() as client:
        client.sendall(GET)
        assert rest(client) == RESPONSE
        demo.says("done with")


def test_prefork_has_a_bound_and_replaces_who_ends(start: Start) -> None:
    demo = start("prefork", "--seconds", "0", "--children", "2")
    demo.says("children: [0-9]+ [0-9]+\n")
    with demo.connect() as silent, demo.connect() as another, demo.connect() as third:
        third.sendall(GET)
        eventually(lambda: queued(demo.port) == 1)
        silent.sendall(GET)
        assert rest(silent) == RESPONSE
        silent.close()
        assert rest(third) == RESPONSE
        third.close()
        victim = next(child for child in children(demo.pid) if another.getsockname()[1] in held_ports(child))
        os.kill(victim, signal.SIGKILL)
        demo.says(f"child {victim} has ended with -9; another takes its place\nchildren: ")
    assert demo.ask(GET) == RESPONSE
    left = children(demo.pid)
    assert len(left) == 2
    demo.process.terminate()
    assert demo.wait() == 130
    assert [child for child in left if state(child)] == []


def test_fork_leaves_no_zombie_and_no_descriptor_after_500_clients(
    start: Start, capfd: pytest.CaptureFixture[str]
) -> None:
    demo = start("fork", "--seconds", "0")
    before = descriptors(demo)
    assert load.run("127.0.0.1", demo.port, clients=10, connections=50) == 0
    assert capfd.readouterr().out.endswith("500 of 500 answered\n")
    eventually(lambda: not children(demo.pid))
    assert descriptors(demo) == before


@pytest.mark.parametrize(("reap", "left"), [("none", 5), ("one", 4), ("all", 0)])
def test_zombies(start: Start, reap: str, left: int) -> None:
    """Five children end while the parent stands still: their five signals are one."""
    demo = start("fork-zombies", "--seconds", "0", "--reap", reap)
    before = descriptors(demo)
    with ExitStack() as stack:
        clients = [stack.enter_context(demo.connect()) for _ in range(5)]
        eventually(lambda: len(children(demo.pid)) == 5 and descriptors(demo) == before)
        pause(demo.pid)
        for client in clients:
            client.sendall(GET)
            assert rest(client) == RESPONSE
            client.close()
        eventually(lambda: zombies(demo) == 5)
        os.kill(demo.pid, signal.SIGCONT)
    if reap == "one":
        demo.says("reaped [0-9]+\n")
        assert demo.said().count("reaped") == 1
    eventually(lambda: len(children(demo.pid)) == left)
    assert zombies(demo) == left


def test_fork_leaky_keeps_clients_waiting_until_no_descriptor_is_left(start: Start) -> None:
    demo = start("fork-leaky", "--seconds", "0", "--descriptors", "12")
    before = descriptors(demo)
    with ExitStack() as stack:
        for leaked in range(1, 12 - before + 1):
            client = stack.enter_context(demo.connect())
            client.sendall(GET)
            assert client.recv(1000) == RESPONSE
            demo.says(rf"; {leaked} leaked\n")
            if before + leaked < 12:
                assert descriptors(demo) == before + leaked
                eventually(lambda: not children(demo.pid))
            client.setblocking(False)
            with pytest.raises(BlockingIOError):  # the end of the response does not come
                client.recv(1)
        assert demo.wait() == 1  # accept() takes a number before there is a client
        demo.says(f"accept: Too many open files; {12 - before} clients are still open here")

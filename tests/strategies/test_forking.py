"""A process for each connection: none is left as a zombie, none outlives its use, and what one does harms no other."""

import os
import signal
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.process import running
from tests.strategies.applications import GET, Gate, children, hello, read_reply
from tests.strategies.waiting import eventually
from tests.wire import PATIENCE, connect, exchange, read_all, replies
from wsgiraw import Server

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

CLOSE = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")

SOURCE = """
import os, time

def app(environ, start_response):
    if environ["PATH_INFO"] == "/stuck":
        print("stuck", os.getpid(), file=environ["wsgi.errors"], flush=True)
        while True:
            time.sleep(1)
    start_response("200 OK", [])
    return [str(os.getpid()).encode()]
"""


def tell(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Tell the number of this process and its descriptors."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/descriptors":
        return [" ".join(sorted(os.listdir("/proc/self/fd"), key=int)).encode()]  # noqa: PTH208
    return [str(os.getpid()).encode()]


@pytest.mark.usefixtures("settled")
def test_no_zombie_is_left_while_serving_and_no_child_at_all_afterwards() -> None:
    before, descriptors = children(), os.listdir("/proc/self/fd")  # noqa: PTH208
    with Server(tell, port=0, strategy="forking", max_children=32) as server:
        with ExitStack() as stack:
            clients = [stack.enter_context(connect(server)) for _ in range(200)]
            for client in clients:
                client.sendall(CLOSE)
            pids = {replies(read_all(client))[0].body for client in clients}
            assert len(pids) == 200
        eventually(lambda: children() == before)
    assert children() == before
    assert os.listdir("/proc/self/fd") == descriptors  # noqa: PTH208


def test_a_child_has_no_descriptors_of_its_siblings_and_parent() -> None:
    with Server(tell, port=0, strategy="forking") as server, ExitStack() as stack:
        asked = GET.replace(b"/", b"/descriptors", 1)
        (first,) = replies(exchange(server, asked))
        for _ in range(10):
            client = stack.enter_context(connect(server))
            client.sendall(GET)
            assert read_reply(stack.enter_context(client.makefile("rb"))).status == 200
        (last,) = replies(exchange(server, asked))
        assert len(first.body.split()) == len(last.body.split())


def test_a_fork_that_fails_is_answered_with_503(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # A kernel out of processes cannot be had here without harming others.
    fork, failures = os.fork, [OSError(11, "Resource temporarily unavailable")]

    def first_fails() -> int:
        if failures:
            raise failures.pop()
        return fork()

    monkeypatch.setattr("os.fork", first_fails)
    with Server(hello, port=0, strategy="forking") as server:
        (refused,) = replies(exchange(server, GET))
        assert (refused.status, refused.field("Connection"), refused.field("Retry-After")) == (503, "close", "1")
        assert replies(exchange(server, GET))[0].status == 200
    assert "cannot fork: Resource temporarily unavailable" in caplog.text


def test_without_pidfds_children_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.pidfd_open")
    before = children()
    with Server(hello, port=0, strategy="forking", max_children=1) as server:
        for _ in range(2):
            assert replies(exchange(server, CLOSE))[0].status == 200
        eventually(lambda: children() == before)


def test_a_child_that_is_killed_takes_nobody_with_it(caplog: pytest.LogCaptureFixture) -> None:
    with Server(tell, port=0, strategy="forking") as server, connect(server) as client:
        client.sendall(GET)
        with client.makefile("rb") as stream:
            pid = int(read_reply(stream).body)
            os.kill(pid, signal.SIGKILL)
            assert stream.read() == b""
        assert replies(exchange(server, GET))[0].status == 200
        eventually(lambda: f"child {pid} was ended by signal 9" in caplog.text)


def test_a_child_that_is_stuck_is_killed_when_the_time_is_up() -> None:
    before, gate = children(), Gate()
    with Server(gate, port=0, strategy="forking", graceful_timeout=0) as server, connect(server) as client:
        client.sendall(GET.replace(b"/", b"/wait", 1))
        assert gate.entered.wait(PATIENCE)
        server.close()
        assert children() == before
        assert client.recv(1) == b""


def test_sigterm_lets_a_child_finish_its_request() -> None:
    gate = Gate()

    def waits(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        os.kill(os.getpid(), signal.SIGTERM)
        return gate(environ, start_response)

    with Server(waits, port=0, strategy="forking", keep_alive=3600) as server:
        with connect(server) as client:
            client.sendall(GET)
            (reply,) = replies(read_all(client))
            assert reply.status == 200
        assert replies(exchange(server, GET))[0].status == 200


def test_children_end_once_idle_when_their_parent_is_no_more(tmp_path: Path) -> None:
    (tmp_path / "forks.py").write_text(SOURCE)
    options = ("--port=0", "--workers=0", "--strategy=forking", "--keep-alive=3600")
    with running(tmp_path, "forks:app", *options) as process, process.connect(process.port()) as client:
        client.sendall(GET)
        with client.makefile("rb") as stream:
            pid = int(read_reply(stream).body)
            process.popen.kill()
            assert stream.read() == b""
        eventually(lambda: not Path(f"/proc/{pid}/exe").exists())


def test_the_command_line_ends_with_a_child_that_is_stuck(tmp_path: Path) -> None:
    (tmp_path / "forks.py").write_text(SOURCE)
    options = ("--port=0", "--workers=0", "--strategy=forking", "--graceful-timeout=0.1")
    with running(tmp_path, "forks:app", *options) as process, process.connect(process.port()) as client:
        client.sendall(GET.replace(b"/", b"/stuck", 1))
        pid = process.line(r"stuck (\d+)")[1]
        assert process.stop() == 0
        assert not Path(f"/proc/{pid}/exe").exists()

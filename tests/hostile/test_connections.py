"""`max_connections`: who makes room for whom; and descriptors that run out all the same."""

import resource
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.conftest import Serve
from tests.hostile.clients import ask, dial, post
from tests.hostile.kernel import accepted, processor_time, queued
from tests.process import running
from tests.strategies.applications import GET, Gate, hello, one_at_a_time, read_reply
from tests.strategies.waiting import eventually
from tests.supervision.load.processes import children
from tests.wire import connect, read_all, replies
from wsgiraw import Server

WAIT = ask("/wait")
FOR_EVER = 3600


def answered(client: socket.socket, octets: bytes = GET) -> bytes:
    """Ask and return the body of the answer; the connection stays open."""
    client.sendall(octets)
    return read_one(client)


def read_one(client: socket.socket) -> bytes:
    with client.makefile("rb") as stream:
        reply = read_reply(stream)
    assert reply.status == 200
    return reply.body


def idle(server: Server, stack: ExitStack, count: int) -> list[socket.socket]:
    """Return connections between two requests, the one that has been so for longest first."""
    clients = [stack.enter_context(connect(server)) for _ in range(count)]
    for client in clients:
        assert answered(client)
    return clients


# A thread gives a connection back after its client has the answer. Where there is one thread, it has done so once
# another client has been answered.


def test_the_oldest_idle_one_makes_room(serve: Serve, strategy: str) -> None:
    server = serve(hello, max_connections=3, keep_alive=FOR_EVER, **one_at_a_time(strategy))
    with ExitStack() as stack:
        first, second, third = idle(server, stack, 3)
        answered(first)  # now the second has been idle for longest
        newcomer = stack.enter_context(connect(server))
        assert answered(newcomer) == b"hello /"
        assert read_all(second) == b""
        for client in (third, first, newcomer):
            assert answered(client) == b"hello /"
        assert server.tally["evicted"] == 1


def test_idle_ones_make_room_before_those_that_have_not_said_a_word(serve: Serve, strategy: str) -> None:
    server = serve(hello, max_connections=4, keep_alive=FOR_EVER, head_timeout=FOR_EVER, **one_at_a_time(strategy))
    with ExitStack() as stack:
        silent = [stack.enter_context(connect(server)) for _ in range(2)]
        eventually(lambda: accepted(server.port) == 2)
        between, another = idle(server, stack, 2)
        another.close()
        eventually(lambda: accepted(server.port) == 3)
        silent.append(stack.enter_context(connect(server)))
        eventually(lambda: accepted(server.port) == 4)
        for evicted in (between, *silent):  # the last one makes room for a fourth newcomer
            newcomer = stack.enter_context(connect(server))
            newcomer.sendall(b"GET / ")  # and is busy from now on
            assert read_all(evicted) == b""
        assert server.tally["evicted"] == 4


def test_who_is_busy_stays_and_newcomers_wait(serve: Serve, strategy: str) -> None:
    """Heads and bodies that arrive, a request that runs, a response that is read: nobody of them is idle."""
    gate = Gate()

    def application(environ, start_response):  # type: ignore[no-untyped-def]
        if environ["PATH_INFO"] == "/large":
            start_response("200 OK", [])
            return [bytes(8_000_000)]
        return gate(environ, start_response)

    runs = strategy != "eventloop"
    server = serve(application, max_connections=3 + runs, keep_alive=FOR_EVER)
    with ExitStack() as stack:
        head = stack.enter_context(connect(server))
        head.sendall(GET[:10])
        body = stack.enter_context(connect(server))
        body.sendall(post("/", b"12345")[:-1])
        reads = stack.enter_context(dial(server.port, narrow=True))
        reads.sendall(ask("/large"))
        assert reads.recv(1) == b"H"
        if runs:
            running_one = stack.enter_context(connect(server))
            running_one.sendall(WAIT)
            assert gate.entered.wait(20)
        eventually(lambda: accepted(server.port) == 3 + runs)
        newcomers = [stack.enter_context(connect(server)) for _ in range(5)]
        for newcomer in newcomers:
            newcomer.sendall(ask("/newcomer", "Connection: close"))
        eventually(lambda: queued(server.port) == 5)
        assert "/newcomer" not in gate.paths
        head.sendall(GET[10:])
        assert read_one(head) == b"hello /"  # and so it is idle now: it makes room for all of them, one after the other
        for newcomer in newcomers:
            assert [reply.status for reply in replies(read_all(newcomer))] == [200]
        assert read_all(head) == b""
        body.sendall(b"5")
        assert read_one(body) == b"hello /"
        with reads.makefile("rb") as stream:
            assert stream.read(8_000_000).endswith(bytes(7_000_000))
        if runs:
            gate.released.set()
            assert read_one(running_one) == b"hello /wait"
        assert server.tally["evicted"] == 1


def test_there_are_never_more_than_that(serve: Serve) -> None:
    """A hundred and fifty clients, five at a time, with ten places: each is answered, for others are idle."""
    server = serve(hello, max_connections=10, keep_alive=FOR_EVER)

    def ask_and_stay(number: int) -> socket.socket:
        client = connect(server)
        client.sendall(ask(f"/{number}"))
        assert read_one(client) == f"hello /{number}".encode()
        return client

    with ThreadPoolExecutor(5) as pool:
        clients = list(pool.map(ask_and_stay, range(150)))
    eventually(lambda: accepted(server.port) == 10)
    assert server.tally["evicted"] == 140
    for client in clients:
        client.close()


def test_a_client_that_asks_without_pause_is_not_idle(serve: Serve) -> None:
    """Pipelined requests are answered to the last although somebody waits for the place."""
    server = serve(hello, max_connections=1)
    with connect(server) as client, client.makefile("rb") as stream:
        client.sendall(GET * 500)
        assert read_reply(stream).status == 200
        newcomer = connect(server)
        newcomer.sendall(GET)
        for _ in range(499):
            assert read_reply(stream).status == 200
        assert read_one(newcomer) == b"hello /"
        newcomer.close()


def crowd_out(port: int, count: int) -> None:
    """Have more clients ask, one after the other, than there is room for; all stay."""
    with ExitStack() as stack:
        for number in range(count):
            client = stack.enter_context(dial(port))
            assert answered(client, ask(f"/{number}")) == f"hello /{number}".encode()


def test_by_default_there_are_as_many_as_descriptors_allow(strategy: str, workers: int, folder: Path) -> None:
    """Then idle clients make room, too, and nothing runs out."""
    script = 'ulimit -n 40 && exec "$@"'
    arguments = ("tests.hostile.site:app", "--port=0", f"--strategy={strategy}", f"--workers={workers}")
    with running(folder, *arguments, through=("sh", "-c", script, "sh")) as process:
        crowd_out(process.port(), 120)
        assert process.stop() == 0
    assert [line for line in process.lines if "not accepting" in line] == []


def test_descriptors_that_run_out_all_the_same_cost_no_time(strategy: str, workers: int, folder: Path) -> None:
    """Somebody else may have used them up. Nobody tells the server when there are some again, and yet it sleeps."""
    arguments = (
        "tests.hostile.site:app",
        "--port=0",
        f"--strategy={strategy}",
        f"--workers={workers}",
        "--log-level=debug",
    )
    with running(folder, *arguments) as process:
        port = process.port()
        while sum("is ready" in line for line in process.lines) < workers:
            process.line("is ready")  # it needs descriptors until then
        crowd_out(port, 5)
        serving = children(process.pid)
        assert len(serving) == workers
        _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        for pid in serving:
            held = [int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()]
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (max(held) + 1, limit))
        with ExitStack() as stack:
            for _ in range(50):
                stack.enter_context(dial(port)).sendall(GET[:10])
            process.line("not accepting")
            began, used = time.monotonic(), sum(map(processor_time, serving))
            threading.Event().wait(0.7)  # longer than it pauses
            took, used = time.monotonic() - began, sum(map(processor_time, serving)) - used
            assert used < took / 3  # a loop that spins uses all of it
        for pid in serving:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, limit))
        crowd_out(port, 5)
        assert process.stop() == 0

"""The hand-over of the loop, each interleaving forced: the watchdog is kept out, and the test takes the loop itself."""

import logging
import random
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import StringIO

import pytest

from tests.strategies.applications import GET, Gate, hello, read_reply
from tests.strategies.waiting import eventually
from tests.wire import PATIENCE, Reply, read_all, replies
from wsgiraw.clock import Clock
from wsgiraw.http11 import Limits
from wsgiraw.net import listen
from wsgiraw.strategies import Capacity, Service, Stop
from wsgiraw.strategies.handoff import Handoff
from wsgiraw.wsgi import Gateway

NEVER = 3600.0
"""Seconds that a call may hold the loop: the watchdog leaves it alone."""


@dataclass
class Running:
    """A server of which the test sees the inside."""

    handoff: Handoff
    stop: Stop
    port: int
    thread: threading.Thread

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def ask(self, path: str = "/") -> Reply:
        with self.connect() as client:
            client.sendall(GET.replace(b"/", path.encode(), 1).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            (reply,) = replies(read_all(client))
        return reply


@contextmanager
def handing_off(
    application: Callable[..., Iterable[bytes]],
    *,
    handoff_after: float = NEVER,
    graceful_timeout: float = PATIENCE,
    **capacity: int,
) -> Iterator[Running]:
    """Serve; a call keeps the loop unless the test takes it."""
    (listener,) = listen("127.0.0.1:0", 1024, 0o600)
    stop = Stop(graceful_timeout)
    gateway = Gateway(application, limits=Limits(), clock=Clock(), software="test", errors=StringIO())
    service = Service(
        listeners=[listener], gateway=gateway, stop=stop, capacity=Capacity(handoff_after=handoff_after, **capacity)
    )
    handoff = Handoff(service)
    running = Running(handoff, stop, listener.port, threading.Thread(target=handoff.run))
    running.thread.start()
    try:
        yield running
    finally:
        stop.request()
        running.thread.join(PATIENCE)
        assert not running.thread.is_alive()
        stop.close()


class Taking:
    """For /take, takes the loop from its own call, as the watchdog would, and goes on; notes which thread ran what."""

    def __init__(self) -> None:
        self.running: Running
        self.threads: dict[str, int] = {}

    def __call__(self, environ, start_response):  # type: ignore[no-untyped-def]
        path = environ["PATH_INFO"]
        self.threads[path] = threading.get_ident()
        if path.startswith("/take"):
            self.running.handoff.take_loop(self.running.handoff.call)
        if path.endswith("/fail"):
            raise LookupError("in vain")
        return hello(environ, start_response)


@pytest.fixture
def taking() -> Iterator[Taking]:
    application = Taking()
    with handing_off(application, threads=2) as application.running:
        yield application


def test_quick_calls_stay_on_one_thread(taking: Taking) -> None:
    for number in range(20):
        assert taking.running.ask(f"/{number}").body == b"hello /%d" % number
    assert len(set(taking.threads.values())) == 1


def test_the_loop_is_taken_just_before_a_call_returns(taking: Taking) -> None:
    """The thread that lost it answers all the same, gives the connection back, and parks."""
    with taking.running.connect() as client, client.makefile("rb") as stream:
        for number in range(100):
            client.sendall(GET.replace(b"/", b"/take/%d" % number, 1))
            assert read_reply(stream).body == b"hello /take/%d" % number
            client.sendall(GET)
            assert read_reply(stream).body == b"hello /"
    assert len(set(taking.threads.values())) > 1


def test_the_loop_is_not_taken_just_after_a_call_has_returned(taking: Taking) -> None:
    handoff = taking.running.handoff
    for _ in range(100):
        assert taking.running.ask().status == 200
        eventually(lambda: not handoff.call)
        handoff.take_loop(handoff.call)
    assert len(set(taking.threads.values())) == 1


def test_the_loop_turns_while_the_call_it_was_taken_from_goes_on() -> None:
    gate = Gate()
    with handing_off(gate, threads=2) as running, running.connect() as waiting, running.connect() as idle:
        waiting.sendall(GET.replace(b"/", b"/wait", 1))
        assert gate.entered.wait(PATIENCE)
        idle.sendall(GET)  # in the kernel: the loop is held up
        running.handoff.take_loop(running.handoff.call)
        with idle.makefile("rb") as stream:
            assert read_reply(stream).status == 200
        assert running.ask().status == 200
        gate.released.set()
        with waiting.makefile("rb") as stream:
            assert read_reply(stream).body == b"hello /wait"
            waiting.sendall(GET)
            assert read_reply(stream).status == 200


def test_requests_that_arrive_behind_a_long_one_wait_for_it() -> None:
    """The connection is away: what comes meanwhile is not lost, is answered in order, and makes no loop spin."""
    gate = Gate()
    with handing_off(gate, threads=2) as running, running.connect() as client:
        client.sendall(GET.replace(b"/", b"/wait", 1))
        assert gate.entered.wait(PATIENCE)
        running.handoff.take_loop(running.handoff.call)
        client.sendall(GET.replace(b"/", b"/second", 1))
        assert running.ask("/other").status == 200
        client.sendall(GET.replace(b"/", b"/third", 1))
        gate.released.set()
        with client.makefile("rb") as stream:
            assert [read_reply(stream).body for _ in range(3)] == [b"hello /wait", b"hello /second", b"hello /third"]


@pytest.mark.parametrize("how", ["orderly", "reset"])
def test_a_client_that_leaves_while_its_request_runs(how: str, caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    with handing_off(gate, threads=2) as running:
        with running.connect() as client:
            client.sendall(GET.replace(b"/", b"/wait", 1))
            assert gate.entered.wait(PATIENCE)
            running.handoff.take_loop(running.handoff.call)
            if how == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        assert running.ask().status == 200
        gate.released.set()
        eventually(lambda: running.handoff.room() == 2)
        assert running.ask().status == 200
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_response_larger_than_the_window_holds_no_thread() -> None:
    """Threads that lost the loop hand over what the socket does not take; more clients stall than there are threads."""
    body = random.Random(1).randbytes(8_000_000)

    def big(environ, start_response):  # type: ignore[no-untyped-def]
        if environ["PATH_INFO"] == "/big":
            running.handoff.take_loop(running.handoff.call)
            start_response("200 OK", [])
            return [body]
        return hello(environ, start_response)

    with handing_off(big, threads=2) as running, ExitStack() as stack:
        stalled = [stack.enter_context(running.connect()) for _ in range(5)]
        for client in stalled:
            client.sendall(GET.replace(b"/", b"/big", 1))
            assert client.recv(1, socket.MSG_PEEK) == b"H"
        assert running.ask().status == 200
        for client in stalled:
            with client.makefile("rb") as stream:
                assert read_reply(stream).body == body


class Threads:
    """An iterable of big pieces that notes which thread makes each, and which closes it."""

    def __init__(self, running: Callable[[], Running]) -> None:
        self.idents: set[int] = set()
        self.closed = threading.Event()
        self._running = running

    def __call__(self, environ, start_response):  # type: ignore[no-untyped-def]
        if environ["PATH_INFO"] != "/stream":
            if environ["PATH_INFO"] == "/take":
                self._running().handoff.take_loop(self._running().handoff.call)
            return hello(environ, start_response)
        self.idents.add(threading.get_ident())
        start_response("200 OK", [])
        return self

    def __iter__(self) -> Iterator[bytes]:
        for number in range(100):
            self.idents.add(threading.get_ident())
            yield bytes([number]) * 100_000

    def close(self) -> None:
        self.idents.add(threading.get_ident())
        self.closed.set()


@pytest.mark.parametrize("leaves", [False, True], ids=["read", "client leaves"])
def test_an_iterable_stays_on_the_thread_that_began_it(leaves: bool) -> None:
    """Although the loop goes from thread to thread while its client reads now and then."""
    threads = Threads(lambda: running)
    with handing_off(threads, threads=3) as running:
        with running.connect() as client:
            client.sendall(GET.replace(b"/", b"/stream", 1))
            octets = client.recv(1)
            while not octets.endswith(b"\r\n0\r\n\r\n") and not (leaves and len(octets) > 1_000_000):
                assert running.ask("/take").status == 200
                octets += client.recv(400_000)
        assert threads.closed.wait(PATIENCE)
    assert len(threads.idents) == 1


def test_what_only_the_holder_may_go_on_with_waits_until_it_can_pass_the_loop_on() -> None:
    """All other threads are busy: it must not run the application, because nobody could take the loop from it."""
    gate, threads = Gate(), Threads(lambda: running)

    def application(environ, start_response):  # type: ignore[no-untyped-def]
        return (gate if environ["PATH_INFO"] == "/wait" else threads)(environ, start_response)

    with handing_off(application, threads=2) as running, ExitStack() as stack:
        reading = stack.enter_context(running.connect())
        reading.sendall(GET.replace(b"/", b"/stream", 1))
        octets = reading.recv(1)
        for _ in range(2):
            running.handoff.pace.note_overrun("/wait", 0.0)  # it is given to threads, and the holder stays
        busy = [stack.enter_context(running.connect()) for _ in range(2)]
        for client in busy:
            client.sendall(GET.replace(b"/", b"/wait", 1))
            assert gate.entered.wait(PATIENCE)
            gate.entered.clear()
        reading.settimeout(0.2)
        with suppress(TimeoutError):
            while True:
                octets += reading.recv(1_000_000)
        assert len(octets) < 10_000_000  # the application has been asked for nothing more
        for _ in range(3):
            with running.connect() as client:
                client.sendall(b"?\r\n\r\n")
                assert replies(read_all(client))[0].status == 400
        gate.released.set()
        reading.settimeout(PATIENCE)
        while not octets.endswith(b"\r\n0\r\n\r\n"):
            octets += reading.recv(1_000_000)
        for client in busy:
            with client.makefile("rb") as stream:
                assert read_reply(stream).status == 200
    assert len(threads.idents) == 1


@pytest.mark.parametrize("path", ["/take/fail", "/fail"])
def test_an_application_that_fails_after_losing_the_loop_gets_a_500(taking: Taking, path: str) -> None:
    with taking.running.connect() as client, client.makefile("rb") as stream:
        client.sendall(GET.replace(b"/", path.encode(), 1))
        assert read_reply(stream).status == 500
        client.sendall(GET)
        assert read_reply(stream).status == 200


@pytest.mark.parametrize("error", [LookupError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_response_that_breaks_off_after_losing_the_loop_is_cut(error: type[BaseException]) -> None:
    def breaking(environ, start_response):  # type: ignore[no-untyped-def]
        start_response("200 OK", [])
        if environ["PATH_INFO"] == "/break":
            yield b"begun"
            running.handoff.take_loop(running.handoff.call)
            raise error
        yield b"whole"

    with handing_off(breaking, threads=2) as running:
        with running.connect() as client:
            client.sendall(GET.replace(b"/", b"/break", 1))
            with pytest.raises(ConnectionResetError):
                read_all(client)
        assert running.ask().body == b"whole"
        eventually(lambda: running.handoff.room() == 2)


def refuses(running: Running) -> bool:
    try:
        running.connect().close()
    except ConnectionRefusedError:
        return True
    return False


def test_stopping_waits_for_threads_that_are_busy() -> None:
    gate = Gate()
    with handing_off(gate, threads=2) as running, running.connect() as client:
        client.sendall(GET.replace(b"/", b"/wait", 1))
        assert gate.entered.wait(PATIENCE)
        running.handoff.take_loop(running.handoff.call)
        running.stop.request()
        eventually(lambda: refuses(running))
        gate.released.set()
        assert [reply.status for reply in replies(read_all(client))] == [200]


def test_stopping_waits_no_longer_than_allowed(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    with handing_off(gate, threads=2, graceful_timeout=0.1) as running, running.connect() as client:
        client.sendall(GET.replace(b"/", b"/wait", 1))
        assert gate.entered.wait(PATIENCE)
        running.handoff.take_loop(running.handoff.call)
        running.stop.request()
        assert client.recv(1) == b""
        running.thread.join(PATIENCE)
        assert "1 requests were still running when the time to stop was up" in caplog.text
        gate.released.set()


def test_the_watchdog_takes_the_loop_from_a_slow_call() -> None:
    gate = Gate()
    with handing_off(gate, handoff_after=0.001, threads=2) as running, running.connect() as client:
        client.sendall(GET.replace(b"/", b"/wait", 1))
        assert gate.entered.wait(PATIENCE)
        assert running.ask().status == 200
        gate.released.set()
        assert client.recv(1) == b"H"


def test_the_watchdog_sleeps_while_nothing_runs_and_wakes_for_a_call() -> None:
    gate = Gate()
    with handing_off(gate, handoff_after=0.001, threads=2) as running:
        for _ in range(3):
            eventually(lambda: running.handoff.asleep)
            gate.entered.clear()
            gate.released.clear()
            with running.connect() as client:
                client.sendall(GET.replace(b"/", b"/wait", 1))
                assert gate.entered.wait(PATIENCE)
                assert running.ask().status == 200
                gate.released.set()
                assert client.recv(1) == b"H"


class Bounded:
    """Answers slowly; notes how many calls there were at once at most."""

    def __init__(self) -> None:
        self.most = self.now = 0
        self._lock = threading.Lock()

    def __call__(self, environ, start_response):  # type: ignore[no-untyped-def]
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        threading.Event().wait(0.002)
        with self._lock:
            self.now -= 1
        return hello(environ, start_response)


@pytest.mark.parametrize("after", [0.0001, 0.001, NEVER])
def test_no_more_calls_at_once_than_threads(after: float) -> None:
    bounded = Bounded()
    with handing_off(bounded, handoff_after=after, threads=4) as running, ThreadPoolExecutor(32) as pool:
        assert [reply.status for reply in pool.map(running.ask, ["/"] * 400)] == [200] * 400
    assert bounded.most == (1 if after == NEVER else 4)

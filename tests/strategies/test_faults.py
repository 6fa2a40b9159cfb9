"""What must not happen, and does: interrupts out of nowhere, threads that cannot be had, faults of our own."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.strategies.applications import GET, Gate, Happened, hello
from tests.wire import PATIENCE, connect, exchange, replies
from wsgiraw import Server

CREWED = ["handoff", "pooled"]


class Interrupting:
    """An endless response whose `close()` raises."""

    def __init__(self) -> None:
        self.closed = Happened()

    def __call__(self, environ, start_response):  # type: ignore[no-untyped-def]
        if environ["PATH_INFO"] == "/":
            return hello(environ, start_response)
        start_response("200 OK", [])
        return self

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield bytes(100_000)

    def close(self) -> None:
        self.closed.set()
        raise KeyboardInterrupt


def test_an_interrupt_of_the_applications_own_ends_nothing(serve: Serve) -> None:
    application = Interrupting()
    server = serve(application)
    with connect(server) as client:
        client.sendall(GET.replace(b"/", b"/endless", 1))
        assert client.recv(1) == b"H"
    assert application.closed.wait(PATIENCE)
    assert replies(exchange(server, GET))[0].status == 200


@pytest.mark.parametrize("strategy", CREWED)
def test_threads_that_cannot_be_had(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.enumerate()
    start, started = threading.Thread.start, []

    def fails_third(thread: threading.Thread) -> None:
        started.append(thread)
        if len(started) == 3:
            raise RuntimeError("can't start new thread")
        start(thread)

    server = Server(hello, port=0, strategy=strategy)
    monkeypatch.setattr(threading.Thread, "start", fails_third)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        server.serve()
    server.close()
    assert threading.enumerate() == before


@pytest.mark.parametrize("strategy", CREWED)
@pytest.mark.parametrize("place", ["crew", "handoff"])
def test_a_fault_of_ours_ends_the_server_and_is_raised(
    strategy: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_fault(*given: object) -> None:
        raise ZeroDivisionError("ours")

    if (strategy, place) == ("pooled", "handoff"):
        pytest.skip("it has no such place")
    monkeypatch.setattr(f"wsgiraw.strategies.{place}.advance", at_fault)
    raised: list[BaseException] = []

    def run() -> None:
        try:
            server.serve()
        except ZeroDivisionError as error:
            raised.append(error)

    if strategy == "handoff" and place == "crew":  # have requests answered by threads that do not hold the loop
        monkeypatch.setattr("wsgiraw.strategies.pace.Pace.suits_loop", lambda *given: False)
        always = property(lambda pace: True, lambda pace, memorable: None)
        monkeypatch.setattr("wsgiraw.strategies.pace.Pace.memorable", always, raising=False)
    server = Server(hello, port=0, strategy=strategy, graceful_timeout=PATIENCE)
    thread = threading.Thread(target=run)
    thread.start()
    with connect(server) as client:
        client.sendall(GET)
        thread.join(PATIENCE)
    assert not thread.is_alive()
    assert [str(error) for error in raised] == ["ours"]
    server.close()


@pytest.mark.parametrize("strategy", CREWED)
def test_a_thread_that_outlives_the_server_writes_into_nobodys_file(strategy: str, tmp_path: Path) -> None:
    gate = Gate()
    log = str(tmp_path / "access")
    server = Server(gate, port=0, strategy=strategy, graceful_timeout=0, access_logfile=log)
    server.start()
    with connect(server) as client:
        client.sendall(GET.replace(b"/", b"/wait", 1))
        assert gate.entered.wait(PATIENCE)
        left = [thread for thread in threading.enumerate() if thread.name.startswith("wsgiraw-")]
        server.close()
    files = [(tmp_path / str(number)).open("w") for number in range(10)]  # one of them has the log's descriptor
    gate.released.set()
    for thread in left:
        thread.join(PATIENCE)
    for file in files:
        file.close()
        assert Path(file.name).read_text() == ""

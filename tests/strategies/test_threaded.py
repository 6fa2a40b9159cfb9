"""A thread for each connection: what becomes of threads that are to be had no more, or do not come back."""

import threading

import pytest

from tests.strategies.applications import GET, Gate, hello
from tests.strategies.waiting import eventually
from tests.wire import PATIENCE, connect, exchange, replies
from wsgiraw import Server


def connection_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "wsgiraw-connection"]


def test_threads_are_joined_at_a_stop() -> None:
    with Server(hello, port=0, strategy="threaded") as server:
        for _ in range(20):
            assert replies(exchange(server, GET))[0].status == 200
    assert connection_threads() == []


def test_a_thread_that_is_stuck_in_the_application_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    with Server(gate, port=0, strategy="threaded", graceful_timeout=0) as server, connect(server) as client:
        client.sendall(GET.replace(b"/", b"/wait", 1))
        assert gate.entered.wait(PATIENCE)
        server.close()
        assert "stuck in the application and left behind: 1" in caplog.text
        gate.released.set()
        eventually(lambda: connection_threads() == [])


def test_where_no_thread_is_to_be_had_a_client_gets_503(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Server(hello, port=0, strategy="threaded") as server:
        start = threading.Thread.start

        def fails_once(
            thread: threading.Thread,
        ) -> None:  # a system out of threads cannot be had without harm to others
            monkeypatch.setattr(threading.Thread, "start", start)
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", fails_once)
        (refused,) = replies(exchange(server, GET))
        assert (refused.status, refused.field("Connection"), refused.field("Retry-After")) == (503, "close", "1")
        assert replies(exchange(server, GET))[0].status == 200
    assert "can't start new thread" in caplog.text

"""`Server` as a value: its life, its options, and that nothing is left behind."""

import io
import logging
import os
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.strategies.applications import GET, Gate, hello, one_at_a_time, read_reply
from tests.wire import PATIENCE, connect, exchange, read_all, replies
from wsgiraw import Config, ConfigError, Server
from wsgiraw import serve as serve_until_signal
from wsgiraw.net import listen
from wsgiraw.strategies import STRATEGIES


def test_it_listens_once_constructed_and_serves_as_a_context(serve: Serve) -> None:
    server = serve(hello)
    assert server.url == f"http://127.0.0.1:{server.port}"
    with urllib.request.urlopen(server.url + "/x") as response:
        assert response.read() == b"hello /x"
    assert [thread.name for thread in threading.enumerate() if thread.name == "wsgiraw"] == ["wsgiraw"]


def test_a_request_may_wait_before_serving_starts() -> None:
    server = Server(hello, port=0)
    with connect(server) as client, client.makefile("rb") as stream:
        client.sendall(GET)
        server.start()
        assert read_reply(stream).status == 200
        server.close()


@pytest.mark.usefixtures("settled")
def test_many_lives_leave_nothing_behind(strategy: str) -> None:
    def open_descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    threads = threading.enumerate()
    for life in range(50 if strategy == "forking" else 200):  # each forks all of the test run
        if life == 1:
            before = open_descriptors()
        with Server(hello, port=0, strategy=strategy) as server, connect(server) as client:
            client.sendall(GET)
            assert client.recv(12) == b"HTTP/1.1 200"
    assert open_descriptors() == before
    assert threading.enumerate() == threads


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    "options",
    [
        {"bind": ["127.0.0.1:0", "127.0.0.1:0", "nowhere.invalid:0"]},
        {"port": 0, "access_logfile": "/nowhere/log"},
        {"port": 0, "strategy": "nonsense"},
    ],
    ids=["address", "log", "option"],
)
def test_a_server_that_cannot_start_leaves_nothing_behind(options: dict[str, object]) -> None:
    before = os.listdir("/proc/self/fd")  # noqa: PTH208
    with pytest.raises(ConfigError):
        Server(hello, **options)
    assert os.listdir("/proc/self/fd") == before  # noqa: PTH208


def test_closing_without_serving_and_twice() -> None:
    server = Server(hello, port=0)
    server.close()
    server.close()
    server.serve()  # returns: nothing is left to serve
    assert server.listeners[0].socket.fileno() == -1


def test_closing_after_shutdown_still_finishes_what_is_in_flight(serve: Serve) -> None:
    gate = Gate()
    server = serve(gate, graceful_timeout=3600)
    with connect(server) as client:
        client.sendall(GET.replace(b"/", b"/wait", 1))
        assert gate.entered.wait(PATIENCE)
        server.shutdown()
        closing = threading.Thread(target=server.close)
        closing.start()
        gate.released.set()
        assert replies(read_all(client))[0].status == 200
    closing.join(PATIENCE)
    assert not closing.is_alive()


def test_shutdown_by_degrees() -> None:
    with Server(hello, port=0, graceful_timeout=3600) as server, connect(server) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 100"
        server.shutdown_gracefully()
        server.shutdown_gracefully()
        client.sendall(b"x")
        assert b"HTTP/1.1 200 OK" in read_all(client)
    with Server(hello, port=0, graceful_timeout=3600) as server, connect(server) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 100"
        server.shutdown_at_once()


def test_config_as_a_value() -> None:
    config = Config(port=0, server_header="")
    with Server(hello, config) as server:
        assert server.config is config
        assert replies(exchange(server, GET))[0].field("Server") is None


def test_listeners_from_elsewhere() -> None:
    listeners = listen("127.0.0.1:0", 8, 0o600)
    with Server(hello, listeners=listeners, port=1) as server:
        assert server.port == listeners[0].port
        assert replies(exchange(server, GET))[0].status == 200
    assert listeners[0].socket.fileno() == -1


def test_several_listeners(serve: Serve, strategy: str, tmp_path: Path) -> None:
    with Server(hello, bind=["127.0.0.1:0", f"unix:{tmp_path}/s"], strategy=strategy) as server:
        assert [listener.url(tls=False) for listener in server.listeners] == [server.url, f"unix:{tmp_path}/s"]
        assert replies(exchange(server, GET))[0].status == 200


@pytest.mark.usefixtures("here")
def test_wsgi_errors_go_where_errors_says(serve: Serve) -> None:
    def complain(environ, start_response):  # type: ignore[no-untyped-def]
        environ["wsgi.errors"].write("it hurts\n")
        return hello(environ, start_response)

    errors = io.StringIO()
    assert replies(exchange(serve(complain, errors=errors), GET))[0].status == 200
    assert errors.getvalue() == "it hurts\n"


def test_limits_reach_the_wire(serve: Serve) -> None:
    options = {
        "limit_request_line": 20,
        "max_head_bytes": 100,
        "limit_request_fields": 2,
        "max_body_bytes": 5,
        "max_chunk_line_bytes": 16,
        "max_trailer_bytes": 16,
    }
    server = serve(hello, **options)
    start = b"GET / HTTP/1.1\r\nHost: a\r\n"
    chunked = start + b"Transfer-Encoding: chunked\r\n\r\n"
    for octets, status in {
        b"GET /123456789012345 HTTP/1.1\r\nHost: a\r\n\r\n": 414,
        start + b"X: " + b"x" * 100 + b"\r\n\r\n": 431,
        start + b"A: a\r\nB: b\r\n\r\n": 431,
        start + b"Content-Length: 6\r\n\r\n123456": 413,
        chunked + b"5;a=" + b"a" * 20 + b"\r\n12345\r\n0\r\n\r\n": 400,
        chunked + b"0\r\nX: " + b"x" * 20 + b"\r\n\r\n": 431,
        start + b"Content-Length: 5\r\n\r\n12345": 200,
    }.items():
        assert replies(exchange(server, octets))[0].status == status, octets


@pytest.mark.usefixtures("here")
def test_lint_tells_what_an_application_does_wrong(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    def text(environ, start_response):  # type: ignore[no-untyped-def]
        start_response("200", [("Content-Type", "text/plain")])
        return [b"x"]

    def hop_by_hop(environ, start_response):  # type: ignore[no-untyped-def]
        start_response("200 OK", [("Content-Type", "text/plain"), ("Upgrade", "x")])
        return [b"x"]

    assert replies(exchange(serve(hello, lint=True), GET))[0].status == 200
    assert replies(exchange(serve(text, lint=True), GET))[0].status == 500
    assert "The status string" in caplog.text
    assert replies(exchange(serve(hop_by_hop, lint=True), GET))[0].status == 500
    caplog.clear()
    assert replies(exchange(serve(hop_by_hop), GET))[0].field("Upgrade") is None
    assert "the application set upgrade, which belongs to the connection" in caplog.text


def test_multithread_and_multiprocess_are_told(serve: Serve, strategy: str) -> None:
    def tell(environ, start_response):  # type: ignore[no-untyped-def]
        start_response("200 OK", [])
        return [b"%d %d" % (environ["wsgi.multithread"], environ["wsgi.multiprocess"])]

    shape = STRATEGIES[strategy]
    expected = b"%d %d" % (shape.multithread, shape.multiprocess)
    assert replies(exchange(serve(tell), GET))[0].body == expected
    expected = b"0 %d" % shape.multiprocess
    assert replies(exchange(serve(tell, **one_at_a_time(strategy)), GET))[0].body == expected


def test_as_a_library_it_configures_no_logging(serve: Serve) -> None:
    log = logging.getLogger("wsgiraw")
    handlers, level = list(log.handlers), log.level
    assert replies(exchange(serve(hello), GET))[0].status == 200
    assert (list(log.handlers), log.level, log.propagate) == (handlers, level, True)


def test_serve_minds_signals_and_so_belongs_to_the_main_thread() -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(ConfigError, match="use Server in other threads"):
        pool.submit(serve_until_signal, lambda environ, start_response: [], port=0).result(PATIENCE)

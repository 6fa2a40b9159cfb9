"""`make_server`, used as programs use wsgiref's."""

import socket
import threading
import urllib.request
from wsgiref.simple_server import demo_app

import pytest

import wsgiraw
from tests.strategies.applications import GET, Gate, hello
from tests.wire import PATIENCE, read_all, replies
from wsgiraw import ConfigError, make_server
from wsgiraw.simple_server import SimpleServer


def dial(server: SimpleServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.server_port), timeout=PATIENCE)


def test_the_example_of_wsgirefs_documentation() -> None:
    with wsgiraw.make_server("127.0.0.1", 0, demo_app) as httpd:
        assert httpd.server_address == ("127.0.0.1", httpd.server_port)
        assert httpd.server_name == "127.0.0.1"
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        with urllib.request.urlopen(f"http://127.0.0.1:{httpd.server_port}/") as response:
            assert response.read().startswith(b"Hello world!")
        httpd.shutdown()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_handle_request_answers_one_request() -> None:
    with make_server("127.0.0.1", 0, hello, linger_timeout=0.1) as httpd:
        for _ in range(2):
            with dial(httpd) as client:
                client.sendall(GET + GET)
                httpd.handle_request()
                (reply,) = replies(read_all(client))
                assert (reply.status, reply.field("Connection")) == (200, "close")


def test_handle_request_after_shutdown_returns() -> None:
    with make_server("127.0.0.1", 0, hello) as httpd:
        httpd.shutdown()
        httpd.handle_request()


def test_shutdown_waits_until_nothing_is_served_any_more() -> None:
    gate = Gate()
    with make_server("127.0.0.1", 0, gate) as httpd, dial(httpd) as client:
        serving = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.1})
        serving.start()
        client.sendall(GET.replace(b"/", b"/wait", 1))
        assert gate.entered.wait(PATIENCE)
        stopping = threading.Thread(target=httpd.shutdown)
        stopping.start()
        stopping.join(0.05)
        assert stopping.is_alive()
        gate.released.set()
        assert replies(read_all(client))[0].status == 200
        client.close()
        stopping.join(PATIENCE)
        serving.join(PATIENCE)
        assert not stopping.is_alive()
        assert not serving.is_alive()


@pytest.mark.usefixtures("here")
def test_an_application_may_end_its_own_server(strategy: str) -> None:
    def last(environ, start_response):  # type: ignore[no-untyped-def]
        httpd.shutdown()
        return hello(environ, start_response)

    with make_server("127.0.0.1", 0, last, strategy=strategy) as httpd, dial(httpd) as client:
        client.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        httpd.serve_forever()
        assert replies(read_all(client))[0].status == 200


def test_who_has_served_before_waits_all_the_same() -> None:
    with make_server("127.0.0.1", 0, hello, linger_timeout=0) as httpd:
        with dial(httpd) as client:
            client.sendall(GET)
            httpd.handle_request()
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        with dial(httpd) as client:
            client.sendall(GET)
            assert client.recv(4) == b"HTTP"
        httpd.shutdown()
        with pytest.raises(ConnectionRefusedError):
            dial(httpd)
        thread.join(PATIENCE)


def test_closing_while_another_thread_serves() -> None:
    httpd = make_server("127.0.0.1", 0, hello)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    with dial(httpd) as client:
        client.sendall(GET)
        assert client.recv(4) == b"HTTP"
    httpd.server_close()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    httpd.serve_forever()  # nothing is left to serve


def test_every_address() -> None:
    with make_server("", 0, hello, linger_timeout=0) as httpd:
        assert httpd.server_name == socket.gethostname()
        assert httpd.fileno() >= 0
        with dial(httpd) as client:
            client.sendall(GET)
            httpd.handle_request()
            assert replies(read_all(client))[0].status == 200


def test_options() -> None:
    with make_server("127.0.0.1", 0, hello, server_header="mine", linger_timeout=0) as httpd, dial(httpd) as client:
        client.sendall(GET)
        httpd.handle_request()
        assert replies(read_all(client))[0].field("Server") == "mine"
    with pytest.raises(ConfigError, match="there is no option 'stategy': did you mean 'strategy'"):
        make_server("127.0.0.1", 0, hello, stategy="serial")

"""Behind a trusted proxy over sockets, on every strategy: the environ, the logs, refusals, mounts and health."""

import json
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.strategies.applications import Gate
from tests.strategies.test_queue import busy
from tests.strategies.waiting import eventually
from tests.wire import connect, exchange, read_all, replies
from tests.wsgi.applications import TEXT, asked
from wsgiraw import Mount, Server
from wsgiraw.strategies.stacks import report

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

Serve = Callable[..., Server]

HERE: dict[str, Any] = {
    "trusted_proxies": "127.0.0.1",
    "forwarded_fields": "x-forwarded-for,x-forwarded-proto,x-forwarded-host,x-forwarded-prefix",
}


def telling(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer with the environ."""
    start_response("200 OK", TEXT)
    shown = {name: value for name, value in environ.items() if isinstance(value, str) or name == "wsgiraw.peer"}
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else json.dumps(shown).encode()]


def test_environ(serve: Serve) -> None:
    """The client is the one behind the proxy; the peer is kept; the next request has a client of its own."""
    server = serve(telling, **HERE)
    with connect(server) as proxy:
        address, port = proxy.getsockname()
        proxy.sendall(
            asked(
                "GET",
                "/x?y",
                "X-Forwarded-For: 6.6.6.6",
                "X-Forwarded-For: 2001:db8::1",
                "X-Forwarded-Proto: https",
                "X-Forwarded-Host: example.com",
                "X-Forwarded-Prefix: /app",
                "X-Forwarded-Port: 1",
                "Forwarded: for=6.6.6.6",
            )
            + asked("GET", "/", "X-Forwarded-For: 192.0.2.1")
            + asked("GET", "/", "Connection: close")
        )
        first, second, third = (json.loads(reply.body) for reply in replies(read_all(proxy)))
    assert (first["REMOTE_ADDR"], first["REMOTE_PORT"], first["wsgiraw.peer"]) == (
        "2001:db8::1",
        "0",
        [address, str(port)],
    )
    assert (first["HTTPS"], first["HTTP_HOST"], first["SERVER_NAME"]) == ("on", "example.com", "example.com")
    assert (first["SERVER_PORT"], first["SCRIPT_NAME"], first["PATH_INFO"]) == ("443", "/app", "/x")
    assert first["HTTP_X_FORWARDED_FOR"] == "6.6.6.6, 2001:db8::1", "for middleware that reads it itself"
    assert "HTTP_FORWARDED" not in first
    assert "HTTP_X_FORWARDED_PORT" not in first
    assert (second["REMOTE_ADDR"], second["HTTP_HOST"], second["SCRIPT_NAME"]) == ("192.0.2.1", "a", "")
    assert "HTTPS" not in second
    assert (third["REMOTE_ADDR"], third["REMOTE_PORT"]) == (address, str(port))


@pytest.mark.parametrize("options", [{}, {"trusted_proxies": "192.0.2.0/24,unix:"}])
def test_from_anybody_else(serve: Serve, options: dict[str, Any]) -> None:
    """All six fields are taken away, and nothing follows from them."""
    fields = ["Forwarded: nonsense", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil"]
    (reply,) = replies(
        exchange(serve(telling, **options), asked("GET", "/", *fields, "X-Forwarded-Port: 1", "X-Forwarded-Prefix: /x"))
    )
    environ = json.loads(reply.body)
    assert not [name for name in environ if "FORWARDED" in name]
    assert (environ["REMOTE_ADDR"], environ["HTTP_HOST"], environ["SCRIPT_NAME"]) == ("127.0.0.1", "a", "")
    assert "HTTPS" not in environ


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_malformed(serve: Serve, tmp_path: Path, method: str) -> None:
    """Refused with a line that says what is wrong, the application is not called, and the connection ends."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        raise AssertionError("it is not to be called")

    log = tmp_path / "access"
    server = serve(application, access_logfile=str(log), **HERE)
    body = b"hello" if method == "POST" else b""
    octets = asked(method, "/", "X-Forwarded-For: nonsense", body=body) + asked()
    (reply,) = replies(exchange(server, octets), method)
    assert (reply.status, reply.field("Connection")) == (400, "close")
    assert reply.body == (
        b"" if method == "HEAD" else b"malformed X-Forwarded-For field: a client is like 192.0.2.1 or 2001:db8::1\n"
    )
    server.close()
    (line,) = log.read_text().splitlines()
    assert line.startswith("127.0.0.1 - - [")
    assert f'"{method} / HTTP/1.1" 400 ' in line


def test_access_log(serve: Serve, tmp_path: Path) -> None:
    """It has the client; where a request is malformed before anybody can know of one, the proxy."""
    log = tmp_path / "access"
    server = serve(telling, access_logfile=str(log), **HERE)
    exchange(server, asked("GET", "/", "X-Forwarded-For: 192.0.2.1") + asked() + b"bad\r\n\r\n")
    server.close()
    assert [line.partition(" ")[0] for line in log.read_text().splitlines()] == ["192.0.2.1", "127.0.0.1", "127.0.0.1"]


def test_with_mounts_and_health(serve: Serve) -> None:
    """The prefix that a proxy has taken away stands before that of a mount; health is asked for without it."""
    server = serve(Mount({"/": telling, "/shop": telling}), health_path="/healthy", **HERE)
    prefix = "X-Forwarded-Prefix: /app/"
    octets = asked("GET", "/shop/1", prefix) + asked("GET", "/", prefix) + asked("GET", "/healthy", prefix)
    shop, root, healthy = replies(exchange(server, octets))
    environ = json.loads(shop.body)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"], environ["RAW_URI"]) == ("/app/shop", "/1", "/shop/1")
    environ = json.loads(root.body)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/app", "/")
    assert healthy.body == b"ok\n"


@pytest.mark.parametrize("strategy", ["handoff", "pooled"])
def test_given_up_while_queued(strategy: str, tmp_path: Path) -> None:
    """Who gets 503 because nobody has time is in the access log by address, as far as that is known."""
    log = tmp_path / "access"
    with busy(strategy, access_logfile=str(log), max_queue=0, **HERE) as (server, _):
        for fields in (["X-Forwarded-For: 192.0.2.1"], ["X-Forwarded-For: nonsense"], []):
            (reply,) = replies(exchange(server, asked("GET", "/", *fields)))
            assert reply.status == 503
    refused = [line.partition(" ")[0] for line in log.read_text().splitlines() if '"-" 503' in line]
    assert refused == ["192.0.2.1", "127.0.0.1", "127.0.0.1"]


def test_given_up_while_it_runs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """So is who gets 504, in both logs."""
    log = tmp_path / "access"
    gate = Gate()
    options = {"request_timeout": 0.05, "graceful_timeout": 0, "access_logfile": str(log), **HERE}
    with Server(gate, port=0, strategy="pooled", **options) as server:
        (reply,) = replies(exchange(server, asked("GET", "/wait", "X-Forwarded-For: 192.0.2.1")))
        eventually(lambda: "GET /wait of 192.0.2.1 has run" in caplog.text)
        gate.released.set()
    assert reply.status == 504
    assert log.read_text().startswith("192.0.2.1 - - [")


def test_stacks_name_the_client(serve: Serve, strategy: str) -> None:
    """What is written at SIGPWR names the client, not the proxy."""
    if strategy == "forking":
        pytest.skip("what it looks at is in another process")
    said: list[str] = []

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        said.append(report())
        start_response("200 OK", TEXT)
        return [b""]

    exchange(serve(application, **HERE), asked("GET", "/", "X-Forwarded-For: 192.0.2.1"))
    assert "GET / of 192.0.2.1 for " in said[0]
    assert threading.current_thread().name in said[0]

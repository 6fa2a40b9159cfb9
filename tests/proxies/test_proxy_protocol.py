"""`proxy_protocol` over sockets and behind real HAProxy: who has connected is what the PROXY header says."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.net.test_proxy_protocol import SIGNATURE, inet6, v2
from tests.proxies.front import haproxy_in_front_of
from tests.proxies.test_fronts import CLIENT, ask, environ_of
from tests.wire import PATIENCE, connect, exchange, read_all, replies
from tests.wsgi.applications import asked
from tests.wsgi.test_behind_proxies import telling
from wsgiraw import Server

Serve = Callable[..., Server]

HERE: dict[str, Any] = {"proxy_protocol": True, "trusted_proxies": "127.0.0.1"}
TCP4 = b"PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\r\n"
LAST = asked("GET", "/", "Connection: close")


def told(octets: bytes) -> dict[str, Any]:
    """Return the environ that a reply has."""
    (reply,) = replies(octets)
    assert reply.status == 200, reply
    environ: dict[str, Any] = json.loads(reply.body)
    return environ


@pytest.mark.parametrize("options", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"])
def test_haproxy(serve: Serve, tmp_path: Path, options: str) -> None:
    """As text, as octets, and with a checksum; HAProxy does not look at what it passes on."""
    log = tmp_path / "access"
    server = serve(telling, access_logfile=str(log), **HERE)
    unique = "unique-id-format %{+X}o\\ %ci" if "unique-id" in options else ""
    with haproxy_in_front_of(server.port, tmp_path, unique, mode="tcp", server=options) as port:
        environ = environ_of(port, "X-Forwarded-For: 6.6.6.6")
        with socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=(CLIENT, 0)) as client:
            number = str(client.getsockname()[1])
            client.sendall(LAST)
            again = told(read_all(client))
    assert (environ["REMOTE_ADDR"], environ["wsgiraw.peer"][0]) == (CLIENT, "127.0.0.1")
    assert "HTTP_X_FORWARDED_FOR" not in environ, "it is the client's, who is nobody's proxy"
    assert (again["REMOTE_ADDR"], again["REMOTE_PORT"]) == (CLIENT, number)
    server.close()
    assert log.read_text().startswith(f"{CLIENT} - - [")


def test_a_proxy_behind_a_proxy(tmp_path: Path) -> None:
    """Who is trusted with fields is found by the address in the header: here that of another proxy."""
    server = Server(telling, port=0, proxy_protocol=True, trusted_proxies=f"127.0.0.1,{CLIENT}")
    with server, haproxy_in_front_of(server.port, tmp_path, mode="tcp", server="send-proxy-v2") as port:
        (reply,) = ask(port, asked("GET", "/", "X-Forwarded-For: 192.0.2.1", "Connection: close"))
    assert json.loads(reply.body)["REMOTE_ADDR"] == "192.0.2.1"


HEADERS = {
    "tcp4": (TCP4, "192.0.2.1"),
    "v2-inet6": (v2(inet6(), family=0x21), "2001:db8::1"),
    "unknown": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "v2-local": (v2(command=0x20, family=0), "127.0.0.1"),
    "v2-unix": (v2(bytes(216), family=0x31), "127.0.0.1"),
}


@pytest.mark.parametrize(("header", "address"), HEADERS.values(), ids=HEADERS)
def test_headers(serve: Serve, header: bytes, address: str) -> None:
    """In one piece with the request, octet by octet, and before several requests."""
    server = serve(telling, **HERE)
    assert told(exchange(server, header + LAST))["REMOTE_ADDR"] == address
    with connect(server) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in header:
            client.send(bytes([octet]))
        client.sendall(asked() + LAST)
        found = [json.loads(reply.body)["REMOTE_ADDR"] for reply in replies(read_all(client))]
    assert found == [address] * 2


def unanswered(server: Server, octets: bytes) -> bool:
    """Whether a connection ends without a word, perhaps with a reset where it had octets that nobody has read."""
    with connect(server) as client:
        client.sendall(octets)
        try:
            return read_all(client) == b""
        except ConnectionResetError:
            return True


@pytest.mark.parametrize(
    "octets",
    [LAST, b"PROXY TCP4 x" + LAST, TCP4.replace(b"\r", b"") + LAST, SIGNATURE + LAST],
    ids=["none", "address", "line-end", "v2"],
)
def test_malformed(serve: Serve, octets: bytes) -> None:
    """Closed without a word, and the server goes on."""
    server = serve(telling, **HERE)
    assert unanswered(server, octets)
    assert told(exchange(server, TCP4 + LAST))["REMOTE_ADDR"] == "192.0.2.1"


def test_from_anybody_else(serve: Serve) -> None:
    """Who is not trusted cannot say who they are, nor connect without saying it."""
    server = serve(telling, proxy_protocol=True, trusted_proxies="192.0.2.0/24")
    assert unanswered(server, TCP4 + LAST)
    assert unanswered(server, LAST)

"""Real proxies in front of wsgiraw: the examples of deploy/ as they stand, and chains of proxies."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.proxies.front import DEPLOY, haproxy_in_front_of, haproxy_with, nginx_in_front_of, nginx_with
from tests.strategies.waiting import eventually
from tests.wire import PATIENCE, Reply, read_all, replies
from tests.wsgi.applications import asked
from tests.wsgi.test_behind_proxies import telling
from wsgiraw import Server
from wsgiraw.net.proxy_protocol import parse

Serve = Callable[..., Server]

CLIENT = "127.0.0.2"
"""Another address of loopback than that of the proxies."""

LIES = ("X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", 'Forwarded: for="6.6.6.6', "X-Forwarded-Host: evil")


def ask(port: int, octets: bytes, address: str = CLIENT) -> list[Reply]:
    """Return what a front answers to a client of such an address."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=(address, 0)) as client:
        client.sendall(octets)
        return replies(read_all(client))


def environ_of(port: int, *lines: str) -> dict[str, Any]:
    """Return what the application is told of a request by way of a front."""
    (reply,) = ask(port, asked("GET", "/x?y", *lines, "Connection: close"))
    assert reply.status == 200, reply
    told: dict[str, Any] = json.loads(reply.body)
    return told


@pytest.mark.parametrize("lies", [(), LIES])
def test_nginx(serve: Serve, tmp_path: Path, lies: tuple[str, ...]) -> None:
    """deploy/nginx.conf: whatever a client says of itself, its address is what nginx has seen."""
    log = tmp_path / "access"
    server = serve(telling, trusted_proxies="127.0.0.1", access_logfile=str(log))
    example = (DEPLOY / "nginx.conf").read_text()
    assert example.count("127.0.0.1:8000") == 1
    with nginx_with(example.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}"), tmp_path) as port:
        told = environ_of(port, *lies)
    assert (told["REMOTE_ADDR"], told["REMOTE_PORT"], told["wsgiraw.peer"][0]) == (CLIENT, "0", "127.0.0.1")
    assert (told["wsgi.url_scheme"], told["HTTP_HOST"], told["RAW_URI"]) == ("http", "a", "/x?y")
    assert "HTTPS" not in told
    assert told["HTTP_X_FORWARDED_FOR"] == ("6.6.6.6, " if lies else "") + CLIENT
    assert not told.keys() & {"HTTP_FORWARDED", "HTTP_X_FORWARDED_HOST"}
    server.close()
    assert log.read_text().startswith(f"{CLIENT} - - [")


@pytest.mark.parametrize("lies", [(), LIES])
def test_haproxy(serve: Serve, tmp_path: Path, lies: tuple[str, ...]) -> None:
    """deploy/haproxy.cfg: the same by Forwarded (RFC 7239), and its health check is answered."""
    log = tmp_path / "access"
    options = {"forwarded_fields": "forwarded", "health_path": "/health", "access_logfile": str(log)}
    server = serve(telling, trusted_proxies="127.0.0.1", **options)
    example = (DEPLOY / "haproxy.cfg").read_text()
    assert example.count("127.0.0.1:8000") == 1
    with haproxy_with(example.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}"), tmp_path) as port:
        told = environ_of(port, *lies)
        eventually(lambda: '"GET /health HTTP/1.1" 200 ' in log.read_text())
    assert told["HTTP_FORWARDED"] == f"for={CLIENT};proto=http"
    assert (told["REMOTE_ADDR"], told["wsgi.url_scheme"], told["HTTP_HOST"]) == (CLIENT, "http", "a")
    assert not [name for name in told if "X_FORWARDED" in name]


def test_haproxy_for_a_client_of_ipv6(tmp_path: Path) -> None:
    """Its address is quoted and in brackets (RFC 7239 §6), which takes a rule of its own in deploy/haproxy.cfg."""
    rule = "http-request set-src req.hdr(From)"
    example = (DEPLOY / "haproxy.cfg").read_text().replace("default_backend", f"{rule}\n    default_backend")
    with Server(telling, port=0, trusted_proxies="127.0.0.1", forwarded_fields="forwarded") as server:
        example = example.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
        with haproxy_with(example, tmp_path) as port:
            told = environ_of(port, "From: 2001:db8::1")
    assert told["HTTP_FORWARDED"] == 'for="[2001:db8::1]";proto=http'
    assert told["REMOTE_ADDR"] == "2001:db8::1"


def test_haproxy_forwardfor(serve: Serve, tmp_path: Path) -> None:
    """`option forwardfor` adds a line of its own behind those of the client."""
    server = serve(telling, trusted_proxies="127.0.0.1")
    with haproxy_in_front_of(server.port, tmp_path, "option forwardfor") as port:
        told = environ_of(port, *LIES[:1])
    assert told["HTTP_X_FORWARDED_FOR"] == f"6.6.6.6, {CLIENT}"
    assert told["REMOTE_ADDR"] == CLIENT


def test_a_proxy_that_is_not_trusted(tmp_path: Path) -> None:
    """Its fields do not reach the application."""
    with (
        Server(telling, port=0, trusted_proxies="192.0.2.1") as server,
        haproxy_in_front_of(server.port, tmp_path, "option forwardfor") as port,
    ):
        told = environ_of(port)
    assert told["REMOTE_ADDR"] == "127.0.0.1"
    assert "HTTP_X_FORWARDED_FOR" not in told


@pytest.mark.parametrize(("hops", "address"), [(1, "127.0.0.1"), (2, CLIENT), (3, "6.6.6.6")])
def test_nginx_in_front_of_haproxy(tmp_path: Path, hops: int, address: str) -> None:
    """Two hops are those two proxies; one that does not exist would be the client's own word."""
    adding = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
    with (
        Server(telling, port=0, trusted_proxies="127.0.0.1", trusted_hops=hops) as server,
        haproxy_in_front_of(server.port, tmp_path, "option forwardfor") as inner,
        nginx_in_front_of(inner, tmp_path, adding) as outer,
    ):
        told = environ_of(outer, *LIES[:1])
    assert told["REMOTE_ADDR"] == address


def test_a_prefix(tmp_path: Path) -> None:
    """The proxy takes a prefix away and says so; scheme, host and port are those of the client."""
    extra = """
        rewrite ^/app(/.*)$ $1 break;
        proxy_set_header X-Forwarded-Prefix /app;
        proxy_set_header X-Forwarded-Proto https;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header X-Forwarded-Port 8443;
    """
    fields = ",".join(f"x-forwarded-{name}" for name in ("prefix", "proto", "host", "port"))
    with (
        Server(telling, port=0, trusted_proxies="127.0.0.1", forwarded_fields=fields) as server,
        nginx_in_front_of(server.port, tmp_path, extra) as port,
    ):
        (reply,) = ask(port, asked("GET", "/app/x", "Connection: close"))
    told = json.loads(reply.body)
    assert (told["SCRIPT_NAME"], told["PATH_INFO"]) == ("/app", "/x")
    assert (told["wsgi.url_scheme"], told["HTTPS"]) == ("https", "on")
    assert (told["HTTP_HOST"], told["SERVER_NAME"], told["SERVER_PORT"]) == ("a:8443", "a", "8443")


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ("send-proxy", ""),
        ("send-proxy-v2", ""),
        ("send-proxy-v2 proxy-v2-options crc32c,unique-id", "unique-id-format %ci"),
    ],
)
def test_proxy_headers_of_haproxy(tmp_path: Path, options: str, lines: str) -> None:
    """What it says before anything else is read as it is meant, its checksum too; what follows is the client's."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE)
        with (
            haproxy_in_front_of(listening.getsockname()[1], tmp_path, lines, mode="tcp", server=options) as port,
            socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=(CLIENT, 0)) as client,
        ):
            client.sendall(b"hello")
            client.shutdown(socket.SHUT_WR)
            with listening.accept()[0] as accepted:
                accepted.settimeout(PATIENCE)
                octets = read_all(accepted)
            parsed = parse(octets)
            assert parsed is not None
            assert octets[parsed.size :] == b"hello"
            assert parsed.source == (CLIENT, str(client.getsockname()[1]))
            assert parsed.destination == ("127.0.0.1", str(port))


def test_by_a_unix_socket(tmp_path: Path) -> None:
    """Whoever may open it is trusted by `unix:`."""
    path = tmp_path / "s"
    adding = "proxy_set_header X-Forwarded-For $remote_addr;"
    with (
        Server(telling, bind=f"unix:{path}", trusted_proxies="unix:", socket_mode=0o666) as server,
        nginx_in_front_of(server.url, tmp_path, adding) as port,
    ):
        told = environ_of(port)
    assert (told["REMOTE_ADDR"], told["wsgiraw.peer"]) == (CLIENT, ["", ""])


def test_a_proxy_that_makes_no_sense(tmp_path: Path) -> None:
    """The client sees a 400 that says what the proxy does wrong."""
    with (
        Server(telling, port=0, trusted_proxies="127.0.0.1", forwarded_fields="forwarded") as server,
        haproxy_in_front_of(server.port, tmp_path, "http-request set-header Forwarded for=[::1]") as port,
    ):
        (reply,) = ask(port, asked("GET", "/", "Connection: close"))
    assert reply.status == 400
    assert reply.body.startswith(b"malformed Forwarded field: ")

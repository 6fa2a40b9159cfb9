"""Files of a directory over connections that persist, and never a file outside."""

import os
import socket
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.demos.conftest import Demo, Start, rest, typed
from tests.wire import Reply, replies

LAST_MODIFIED = 1_700_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("place")
    for name, octets in {
        "www/index.html": b"<p>caf\xc3\xa9",
        "www/sub/index.html": b"sub",
        "www/empty.txt": b"",
        "www/with space \xc3\xa9.txt".encode("latin-1").decode("utf-8"): b"spaced",
        "www/large.bin": bytes(range(256)) * 4096,
        "www/packed.tar.gz": b"packed",
        "www-secret/secret.txt": b"secret",
        "secret.txt": b"secret",
    }.items():
        (place / name).parent.mkdir(exist_ok=True, parents=True)
        (place / name).write_bytes(octets)
        os.utime(place / name, (LAST_MODIFIED, LAST_MODIFIED))
    (place / "www" / "bare").mkdir()
    (place / "www" / "link.txt").symlink_to("../secret.txt")
    (place / "www" / "linked").symlink_to("../www-secret")
    (place / "www" / "inside.txt").symlink_to("empty.txt")
    (place / "www" / "circle").symlink_to("circle")
    os.mkfifo(place / "www" / "fifo")
    return place


@pytest.fixture(scope="module")
def docroot(start: Start, folder: Path) -> Demo:
    return start("docroot", str(folder / "www"))


def ask(demo: Demo, target: str, method: str = "GET", fields: str = "") -> Reply:
    """Ask for one thing on a connection that ends with it."""
    octets = f"{method} {target} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{fields}\r\n".encode("latin-1")
    (reply,) = replies(demo.ask(octets), method)
    assert reply.field("Connection") == "close"
    assert reply.field("Date") is not None
    return reply


@pytest.mark.parametrize(
    ("target", "body", "media_type"),
    [
        ("/", b"<p>caf\xc3\xa9", "text/html; charset=utf-8"),
        ("/index.html?v=1", b"<p>caf\xc3\xa9", "text/html; charset=utf-8"),
        ("/sub", b"sub", "text/html; charset=utf-8"),
        ("/sub/../sub/", b"sub", "text/html; charset=utf-8"),
        ("/empty.txt", b"", "text/plain; charset=utf-8"),
        ("/inside.txt", b"", "text/plain; charset=utf-8"),
        ("/with%20space%20%C3%A9.txt", b"spaced", "text/plain; charset=utf-8"),
        ("/large.bin", bytes(range(256)) * 4096, "application/octet-stream"),
        ("/packed.tar.gz", b"packed", "application/octet-stream"),
    ],
)
def test_files(docroot: Demo, target: str, body: bytes, media_type: str) -> None:
    reply = ask(docroot, target)
    assert (reply.status, reply.body, reply.field("Content-Type")) == (200, body, media_type)
    assert reply.field("Content-Length") == str(len(body))
    assert reply.field("Last-Modified") == formatdate(LAST_MODIFIED, usegmt=True)
    head = ask(docroot, target, "HEAD")
    assert [field for field in head.fields if field[0] != "date"] == [
        field for field in reply.fields if field[0] != "date"
    ]


@pytest.mark.parametrize(
    "target",
    [
        "/nothing",
        "/bare/",
        "/../secret.txt",
        "/../www-secret/secret.txt",
        "/sub/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2E%2E%2Fsecret.txt",
        "//../secret.txt",
        "/.%2e//secret.txt",
        "/%252e%252e/secret.txt",
        "/..%5csecret.txt",
        "/link.txt",
        "/linked/secret.txt",
        "/linked",
        "/circle",
        "/fifo",
        "/index.html/",
        "/index.html/x",
        "/%00",
        "/index.html%00.txt",
        "/%ff\xff",
        "/" + "x" * 300,
        "/%",
    ],
)
def test_nothing_outside_and_nothing_else(docroot: Demo, target: str) -> None:
    reply = ask(docroot, target)
    if target == "/index.html/":  # a slash more says nothing else
        assert reply.status == 200
        return
    assert (reply.status, reply.field("Content-Type")) == (404, "text/html; charset=utf-8")
    assert b"<h1>404 Not Found</h1>" in reply.body
    assert b"secret" not in reply.body


def test_an_absolute_path_stays_inside(docroot: Demo, folder: Path) -> None:
    assert ask(docroot, f"/{folder}/secret.txt").status == 404
    assert ask(docroot, f"/%2F{folder}/www/index.html").status == 404


@pytest.mark.parametrize(
    "octets",
    [
        b"garbage\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET index.html HTTP/1.1\r\nHost: here\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: here\r\n",
        b"x" * 70_000,
    ],
)
def test_a_page_for_what_is_no_request(docroot: Demo, nc: str, octets: bytes) -> None:
    (reply,) = replies(typed(nc, docroot, octets))
    assert (reply.status, reply.field("Connection")) == (400, "close")
    assert b"<h1>400 Bad Request</h1>" in reply.body


def test_other_methods(docroot: Demo) -> None:
    reply = ask(docroot, "/", "POST", "Content-Length: 5\r\n")
    assert (reply.status, reply.field("Allow")) == (405, "GET, HEAD")


def test_a_connection_persists(docroot: Demo) -> None:
    request = b"GET /sub HTTP/1.1\r\nHost: here\r\n\r\n"
    with docroot.connect() as client:
        client.sendall(request + request + b"GET /nothing HTTP/1.1\r\nHost: here\r\n\r\n" + request[:10])
        client.sendall(request[10:] + b"GET /sub HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nGET /sub HTTP/1.0\r\n\r\n")
        found = replies(rest(client))
    assert [reply.status for reply in found] == [200, 200, 404, 200, 200, 200]
    assert [reply.field("Connection") for reply in found] == ["keep-alive"] * 5 + ["close"]


@pytest.mark.parametrize("field", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_nothing_follows_a_body(docroot: Demo, field: bytes) -> None:
    with docroot.connect() as client:
        client.sendall(b"GET /sub HTTP/1.1\r\nHost: here\r\n" + field + b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
        (reply,) = replies(rest(client))
    assert reply.field("Connection") == "close"


def test_the_silent_are_dropped_after_3_seconds(docroot: Demo) -> None:
    with docroot.connect() as silent, docroot.connect() as idle:
        idle.sendall(b"GET /sub HTTP/1.1\r\nHost: here\r\n\r\n")
        assert rest(idle).endswith(b"\r\n\r\nsub")
        assert rest(silent) == b""


def test_who_leaves_harms_nobody(docroot: Demo) -> None:
    with docroot.connect() as client:
        client.sendall(b"GET /large.bin HTTP/1.1\r\nHost: here\r\n\r\n")
        client.recv(1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert ask(docroot, "/sub").body == b"sub"

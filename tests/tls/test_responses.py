"""Responses over TLS: byte-exact whatever they are made of, delivered at once, bounded in memory, ended so that the
client can tell.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.strategies.applications import GET, Happened, Pieces, hello, read_reply
from tests.strategies.test_patience import SHORT, Hanging
from tests.strategies.waiting import eventually
from tests.tls.clients import BROKEN_OFF, Trust
from tests.tls.conftest import Secure
from tests.wire import PATIENCE, Reply, closed_in_children, read_all, replies
from tests.wsgi.applications import TEXT, asked

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

CLOSE = "Connection: close"
LARGE = bytes(range(256)) * 39_063  # 10 MB, more than any socket takes at once
SLICES = [LARGE[at : at + 100_000] for at in range(0, len(LARGE), 100_000)]
WAYS = ("list", "pieces", "generator", "file", "part of a file", "pipe", "write", "write and list")


class Large:
    """An application that answers with `LARGE`, in the way that it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "large"
        self._path.write_bytes(b"before" + LARGE)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        way = environ["QUERY_STRING"].replace("+", " ")
        write = start_response("200 OK", TEXT)
        if way.startswith("write"):
            for piece in SLICES[:-1]:
                write(piece)
            if way == "write and list":
                return SLICES[-1:]
            write(SLICES[-1])
            return []
        if way == "file":
            self._path.write_bytes(LARGE)
        if way in ("file", "part of a file"):
            file = self._path.open("rb")
            file.seek(len(b"before") if way == "part of a file" else 0)
            return environ["wsgi.file_wrapper"](file)  # type: ignore[no-any-return]
        if way == "pipe":
            return environ["wsgi.file_wrapper"](_pipe())  # type: ignore[no-any-return]
        return {"list": [LARGE], "pieces": SLICES, "generator": iter(list(SLICES))}[way]


def _pipe() -> Any:
    """Return the end of a pipe out of which `LARGE` comes."""
    reader, writer = os.pipe()

    def fill() -> None:
        with open(writer, "wb") as file:  # noqa: PTH123
            file.write(LARGE)

    threading.Thread(target=fill).start()
    return open(reader, "rb")  # noqa: PTH123


def ask(server: Any, trust: Trust, octets: bytes) -> Reply:
    (reply,) = replies(trust.exchange(server, octets))
    return reply


@pytest.mark.parametrize("way", WAYS)
def test_large_responses(secure: Secure, trust: Trust, tmp_path: Path, way: str) -> None:
    server = secure(Large(tmp_path))
    for start in ("GET /?{} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET /?{} HTTP/1.0\r\n\r\n"):
        reply = ask(server, trust, start.format(way.replace(" ", "+")).encode())
        assert reply.body == LARGE


def test_large_responses_follow_each_other(secure: Secure, trust: Trust, tmp_path: Path) -> None:
    """Pipelined: nothing gets between the rest of one and the next."""
    octets = asked("GET", "/?file") + asked("GET", "/?list") + asked("GET", "/?generator", CLOSE)
    assert [reply.body == LARGE for reply in replies(trust.exchange(secure(Large(tmp_path)), octets))] == [True] * 3


@pytest.mark.parametrize("kind", ["generator", "write"])
def test_a_piece_is_delivered_before_the_next_is_asked_for(secure: Secure, trust: Trust, kind: str) -> None:
    taken = Happened()

    def pieces() -> Iterator[bytes]:
        yield b"first"
        assert taken.wait(PATIENCE)
        yield b"second"

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        write = start_response("200 OK", [*TEXT, ("Content-Length", "11")])
        if kind == "generator":
            return pieces()
        for piece in pieces():
            write(piece)
        return []

    with trust.connect(secure(application)) as client, client.makefile("rb") as stream:
        client.sendall(asked("GET", "/", CLOSE))
        while stream.readline() != b"\r\n":
            pass
        assert stream.read(5) == b"first"
        taken.set()
        assert stream.read() == b"second"


@pytest.mark.usefixtures("here")
def test_who_does_not_read_is_not_written_for(secure: Secure, trust: Trust) -> None:
    """What is encrypted and not yet taken is bounded: an endless body stops when the socket is full."""
    pieces = Pieces()
    with trust.connect(secure(pieces)) as client:
        client.sendall(asked("GET", "/endless"))
        assert client.recv(1) == b"H"
        made = -1
        while made != pieces.made:
            made = pieces.made
            threading.Event().wait(0.2)
        assert made * 64 * 1024 < 32 * 2**20
    assert pieces.closed.wait(PATIENCE)


@pytest.mark.parametrize("strategy", ["handoff", "threaded"])
def test_who_takes_above_the_rate_is_not_cut_off(secure: Secure, trust: Trust) -> None:
    """What is encrypted may wait here for longer than write_timeout, while the kernel's part of it moves."""
    server = secure(Pieces(), write_timeout=1.2, min_rate=200)
    server.listeners[0].socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 24 * 1024)  # as on a slow line
    client = trust.context().wrap_socket(socket.socket(), server_hostname="localhost")
    with client:
        closed_in_children(client)
        client.settimeout(PATIENCE)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        client.sendall(asked("GET", "/endless"))
        for _ in range(60):
            threading.Event().wait(0.05)
            client.recv(800)
    assert server.tally["write_timeout"] == 0


def test_who_takes_nothing_is_cut_off(secure: Secure, trust: Trust) -> None:
    pieces = Pieces()
    server = secure(pieces, write_timeout=0.3)
    with trust.connect(server) as client:
        client.sendall(asked("GET", "/endless"))
        assert pieces.closed.wait(PATIENCE)
        with pytest.raises(BROKEN_OFF):
            read_all(client)


def aborting(kind: str) -> "Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]":
    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/broken":
            return hello(environ, start_response)
        write = start_response("200 OK", TEXT)
        if kind == "write":
            write(b"a beginning")
            raise LookupError("no end")
        return broken()

    def broken() -> Iterator[bytes]:
        yield b"a beginning"
        raise LookupError("no end")

    return application


@pytest.mark.parametrize("kind", ["generator", "write"])
@pytest.mark.parametrize("octets", [b"GET /broken HTTP/1.0\r\n\r\n", asked("GET", "/broken")], ids=["1.0", "1.1"])
def test_a_response_that_breaks_off_is_not_ended_in_order(
    secure: Secure, trust: Trust, version: str, octets: bytes, kind: str
) -> None:
    """HTTP/1.0 ends a body with the connection: only the missing close_notify shows that something is missing."""
    server = secure(aborting(kind))
    with trust.connect(server, trust.context(version)) as client:
        client.sendall(octets)
        with pytest.raises(BROKEN_OFF):
            read_all(client)
    assert ask(server, trust, asked("GET", "/x", CLOSE)).body == b"hello /x"


def test_a_response_that_the_end_delimits_is_ended_in_order(secure: Secure, trust: Trust, version: str) -> None:
    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        yield b"whole"

    octets = trust.exchange(secure(application), b"GET / HTTP/1.0\r\n\r\n", trust.context(version))
    assert octets.endswith(b"\r\n\r\nwhole")  # read to its close_notify, or it would have failed


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    application = Hanging()
    yield application
    application.released.set()


def test_what_takes_too_long_gets_504(secure: Secure, trust: Trust, hanging: Hanging) -> None:
    reply = ask(secure(hanging, request_timeout=SHORT), trust, asked("GET", "/before"))
    assert (reply.status, reply.field("Connection")) == (504, "close")


def test_what_takes_too_long_later_is_cut_off(secure: Secure, trust: Trust, hanging: Hanging) -> None:
    with trust.connect(secure(hanging, request_timeout=SHORT)) as client:
        client.sendall(b"GET /within HTTP/1.0\r\n\r\n")
        with pytest.raises(BROKEN_OFF):
            read_all(client)


@pytest.mark.usefixtures("here")
def test_faults_of_the_application_are_answered(secure: Secure, trust: Trust, caplog: pytest.LogCaptureFixture) -> None:
    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        raise LookupError("in vain")

    with trust.connect(secure(application)) as client, client.makefile("rb") as stream:
        for _ in range(2):
            client.sendall(GET)
            assert read_reply(stream).status == 500
    eventually(lambda: caplog.text.count("in vain") >= 2)

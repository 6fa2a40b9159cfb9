"""A gateway alone, where a socket would not be slow or gone at the right moment, and its access log over sockets."""

import io
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.wire import connect, exchange
from tests.wsgi.applications import TEXT, answering, asked, read_until_reset
from tests.wsgi.test_write import writing
from wsgiraw import Server
from wsgiraw.clock import Clock
from wsgiraw.errors import ClientDisconnected
from wsgiraw.http11 import Limits, Request
from wsgiraw.wsgi import FileSegment, Gateway
from wsgiraw.wsgi.start_response import Send

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def gateway(application: "WSGIApplication", spool: int = 1000) -> Gateway:
    """Return a gateway."""
    return Gateway(application, limits=Limits(spool=spool), clock=Clock(), software="x", errors=io.StringIO())


def request() -> Request:
    """Return a request."""
    return Request("GET", "/", "HTTP/1.1", {"HTTP_HOST": "a"})


PIECES = [b"a" * 600, b"b" * 600, b"c" * 600]
FIELDS = [("Content-Length", "1803"), *TEXT]


def environ(server: Gateway) -> dict[str, Any]:
    """Return the variables of a connection."""
    return server.connection_environ(("localhost", "80"), ("", ""))


def respond(application: "WSGIApplication", send: Send = lambda octets: 0, spool: int = 100) -> Iterator[Any]:
    """Return a response, by default to a client that takes nothing at once."""
    server = gateway(application, spool)
    return server.respond(request(), environ(server), send)


@pytest.mark.parametrize("spool", [100, 100_000])
@pytest.mark.parametrize("room", [0, 1, 700, 1300, 10_000])
def test_a_socket_with_little_room(spool: int, room: int) -> None:
    """Whatever the socket takes at once, what it gets later is the rest, from memory or from a file."""
    taken = bytearray()

    def send(octets: bytes) -> int:
        accepted = octets[: max(room - len(taken), 0)]
        taken.extend(accepted)
        return len(accepted)

    application = writing(PIECES, lambda: [b"end"], fields=FIELDS)
    server = gateway(application, spool)
    for octets in server.respond(request(), environ(server), send):
        if isinstance(octets, FileSegment):
            taken += os.pread(octets.descriptor, octets.size, octets.offset)
        else:
            taken += octets
    assert bytes(taken).endswith(b"\r\n\r\n" + b"".join(PIECES) + b"end")


def test_a_client_that_has_gone() -> None:
    """`write()` raises out of the application, nothing is logged, and the spool is closed."""

    def send(octets: bytes) -> int:
        raise ClientDisconnected

    with pytest.raises(ClientDisconnected):
        list(respond(writing(PIECES), send))


def test_given_up_before_the_rest_is_sent() -> None:
    """A response that is closed early closes what waits, and the application's result."""
    closed = []

    class Result(list[bytes]):
        def close(self) -> None:
            closed.append(self)

    response = respond(writing(PIECES, lambda: Result([b"end"]), valid=False))
    segment = next(response)
    assert isinstance(segment, FileSegment)
    response.close()  # type: ignore[attr-defined]
    assert len(closed) == 1


def test_a_fault_while_octets_wait() -> None:
    """Octets that wait are given up with the response."""

    def fail() -> Iterator[bytes]:
        raise LookupError

    with pytest.raises(Exception, match="broke off"):
        list(respond(writing(PIECES, fail, valid=False)))


@pytest.mark.parametrize("where", ["call", "close"])
def test_keyboard_interrupt_is_not_the_applications(where: str) -> None:
    """Ctrl-C goes through."""

    class Result(list[bytes]):
        def close(self) -> None:
            raise KeyboardInterrupt

    def interrupted() -> Iterable[bytes]:
        raise KeyboardInterrupt

    application = answering(interrupted if where == "call" else lambda: Result(), valid=False)
    with pytest.raises(KeyboardInterrupt):
        list(respond(application))


def test_no_piece_is_empty() -> None:
    """A strategy need not ask whether there is something to send, even if all of a large body is too much."""
    large = [b"x" * 100_000]
    for application in (
        answering(lambda: large, fields=[("Content-Length", "0"), *TEXT], valid=False),
        answering(lambda: large, "204 No Content", [], valid=False),
        writing(large, lambda: [b""], fields=[("Content-Length", "100000"), *TEXT]),
    ):
        assert all(respond(application, len))


def test_access_log(serve: Callable[..., Server], tmp_path: Path) -> None:
    """One line for each exchange, refused ones and those that fail included."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/cut":
            start_response("200 OK", TEXT)(b"sent")
            raise LookupError
        start_response("201 Created", TEXT)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else b"hello"]

    path = tmp_path / "access"
    server = serve(application, access_logfile=str(path))
    exchange(server, asked("GET", "/a?b", "User-Agent: me", "Referer: there") + asked("HEAD", "/") + b"bad\r\n\r\n")
    with connect(server) as client:
        client.sendall(asked("GET", "/cut"))
        read_until_reset(client)
    server.close()
    logged = [line.partition("] ")[2] for line in path.read_text().splitlines()]
    assert logged[:2] == ['"GET /a?b HTTP/1.1" 201 5 "there" "me"', '"HEAD / HTTP/1.1" 201 - "-" "-"']
    assert logged[2].startswith('"-" 400 ')
    assert logged[3] == '"GET /cut HTTP/1.1" 200 4 "-" "-"'
    assert len(logged) == 4

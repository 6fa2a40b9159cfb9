"""Clients that send without measure: refused early, or served, and what the server keeps of it stays small."""

import gzip
import hashlib
import select
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.hostile.clients import ask, dial, post
from tests.hostile.kernel import forget_peak, peak
from tests.process import running
from tests.strategies.applications import GET, read_reply
from tests.supervision.load.processes import children
from tests.wire import connect, exchange, read_all, replies
from tests.wsgi.applications import Told
from wsgiraw.http11 import head

MEGABYTE = 1_000_000
HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = b"POST /digest HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

ENDLESS = {
    "request line": (b"GET /", b"a" * 1000, 414),
    "field": (HEAD + b"X-A: ", b"a" * 1000, 431),
    "fields": (HEAD, b"X-A: aaaaaaaaaa\r\n" * 60, 431),
    "empty lines": (b"", b"\r\n" * 500, 400),
    "chunk extension": (CHUNKED + b"1", b";a=b" * 250, 400),
    "chunk extension in quotes": (CHUNKED + b'1;a="', b"a" * 1000, 400),
    "trailer": (CHUNKED + b"0\r\n", b"X-A: aaaaaaaaaa\r\n" * 60, 431),
    "trailer field": (CHUNKED + b"0\r\nX-A: ", b"a" * 1000, 431),
    "chunk size": (CHUNKED, b"0" * 1000, 400),
}
"""How it begins, what is sent for ever, and the answer."""


class Process:
    """A server on the command line, and how much memory the process that serves takes."""

    def __init__(self, port: int, serving: int) -> None:
        self.port = port
        self.serving = serving
        self._before = 0

    def warm(self) -> None:
        """Have all that is needed anyway allocated; from here on growth is counted."""
        for _ in range(3):
            self.ask()
        self._before = forget_peak(self.serving)

    def ask(self) -> None:
        """Be a normal client, and be answered."""
        with dial(self.port) as client, client.makefile("rb") as stream:
            client.sendall(GET)
            assert read_reply(stream).status == 200

    @property
    def growth(self) -> int:
        """How much more memory it has needed since, bytes."""
        return peak(self.serving) - self._before


@pytest.fixture
def process(strategy: str, folder: Path) -> Iterator[Process]:
    """A worker that serves, with little memory for bodies."""
    arguments = ("tests.hostile.site:app", "--port=0", f"--strategy={strategy}", "--body-memory=4M")
    with running(folder, *arguments) as started:
        port = started.port()
        (serving,) = children(started.pid)
        site = Process(port, serving)
        site.warm()
        yield site
        site.ask()
        assert started.stop() == 0


def flood(client: socket.socket, begin: bytes, more: bytes, size: int) -> None:
    """Send up to so many octets, or until the server has something to say."""
    client.sendall(begin)
    for _ in range(size // len(more)):
        if select.select([client], [], [], 0)[0]:
            return
        client.sendall(more)


def test_what_never_ends_is_refused_early(process: Process) -> None:
    """Each answer comes long before ten megabytes have been sent, which the memory of the server shows, too."""
    for begin, more, status in ENDLESS.values():
        with ExitStack() as stack:
            clients = [stack.enter_context(dial(process.port)) for _ in range(5)]
            for client in clients:
                flood(client, begin, more, 10 * MEGABYTE)
            process.ask()
            for client in clients:
                client.shutdown(socket.SHUT_WR)
                assert [reply.status for reply in replies(read_all(client))] == [status], begin
    assert process.growth < 5 * MEGABYTE


def test_many_tiny_chunks_are_a_body_like_any_other(process: Process) -> None:
    body = b"x" * 100_000
    octets = CHUNKED + b"1\r\nx\r\n" * len(body) + b"0\r\n\r\n"
    with dial(process.port) as client, client.makefile("rb") as stream:
        sender = threading.Thread(target=client.sendall, args=(octets,))
        sender.start()
        while not select.select([client], [], [], 0)[0]:
            process.ask()
        assert read_reply(stream).body == f"{len(body)} {hashlib.sha256(body).hexdigest()}".encode()
        sender.join()
    assert process.growth < 5 * MEGABYTE


def test_many_pipelined_requests_are_answered_in_order(process: Process) -> None:
    """Ten thousand in one write; who reads nothing meanwhile is not served on and on into memory."""
    count = 10_000
    octets = b"".join(ask(f"/{number}") for number in range(count))
    with dial(process.port, narrow=True) as client, client.makefile("rb") as stream:
        sender = threading.Thread(target=client.sendall, args=(octets,))
        sender.start()
        for _ in range(5):
            process.ask()
        for number in range(count):
            assert read_reply(stream).body == f"hello /{number}".encode()
        sender.join()
    assert process.growth < 5 * MEGABYTE


def test_many_bodies_at_once_share_a_bounded_memory(process: Process) -> None:
    """Two hundred of a quarter of a megabyte: most of them wait in files, and each is exact."""
    body = bytes(range(256)) * 1000
    rest = 1000
    with ExitStack() as stack:
        clients = [stack.enter_context(dial(process.port)) for _ in range(200)]
        for client in clients:
            client.sendall(post("/digest", body)[:-rest])
        process.ask()
        assert process.growth < 12 * MEGABYTE
        for client in clients:
            client.sendall(body[-rest:])
        expected = f"{len(body)} {hashlib.sha256(body).hexdigest()}".encode()
        for client in clients:
            with client.makefile("rb") as stream:
                assert read_reply(stream).body == expected
    assert process.growth < 35 * MEGABYTE  # threads that read have buffers, too


def test_a_compressed_body_is_not_looked_into(serve: Serve) -> None:
    """What would be a gigabyte is the application's business, which gets it as it came."""
    told = Told()
    bomb = gzip.compress(gzip.compress(bytes(50 * MEGABYTE)))
    assert len(bomb) < 1000
    octets = post("/", bomb, "Content-Encoding: gzip, gzip", "Content-Type: text/plain")
    (reply,) = replies(exchange(serve(told), octets))
    assert reply.status == 200
    assert told.bodies == [bomb]
    assert told.environs[0]["CONTENT_LENGTH"] == str(len(bomb))
    assert told.environs[0]["HTTP_CONTENT_ENCODING"] == "gzip, gzip"


def colliding(count: int) -> list[str]:
    """Return field names that a dict of up to 64 keys puts into one place."""
    found: list[str] = []
    number = 0
    while len(found) < count:
        name = f"X{number}"
        number += 1
        if hash("HTTP_" + name) % 64 == 0:
            found.append(name)
    return found


@pytest.mark.parametrize(("count", "status"), [(99, 200), (100, 431), (2000, 431)])
def test_names_that_collide(serve: Serve, count: int, status: int) -> None:
    """There may be a hundred fields, Host among them; that many are no burden however they are called."""
    told = Told()
    names = colliding(count)
    (reply,) = replies(exchange(serve(told), ask("/", *(f"{name}: {name}" for name in names))))
    assert reply.status == status
    for environ in told.environs:
        assert all(environ["HTTP_" + name] == name for name in names)


def test_names_are_remembered_within_bounds(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five thousand names that nobody else uses; those that are not remembered any more are read all the same."""
    memo: dict[str, str] = {}
    monkeypatch.setattr(head, "_cgi_names", memo)
    told = Told()
    server = serve(told)
    with connect(server) as client, client.makefile("rb") as stream:
        for start in range(0, 5000, 50):
            client.sendall(ask("/", *(f"X-{number}: {number}" for number in range(start, start + 50))))
            assert read_reply(stream).status == 200
    assert len(memo) <= 1024
    for start, environ in zip(range(0, 5000, 50), told.environs, strict=True):
        assert all(environ[f"HTTP_X_{number}"] == str(number) for number in range(start, start + 50))


def test_a_head_in_many_small_pieces_is_one_head(serve: Serve) -> None:
    """However it is cut: what is looked at again and again would make it expensive."""
    octets = HEAD + b"X-A: " + b"a" * 60_000 + b"\r\n\r\n"
    with connect(serve(lengths)) as client, client.makefile("rb") as stream:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(octets), 20):
            client.sendall(octets[start : start + 20])
        assert read_reply(stream).body == b"60000"


def lengths(environ, start_response) -> Iterable[bytes]:  # type: ignore[no-untyped-def]
    start_response("200 OK", [])
    return [str(len(environ["HTTP_X_A"])).encode()]

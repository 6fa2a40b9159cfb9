"""Clients that stall, each in its own way, and a crowd of them that one thread can keep going beside other things."""

import errno
import select
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.strategies.applications import GET
from tests.wire import PATIENCE, replies

__all__ = ["STALLS", "Crowd", "Stall", "ask", "dial", "post", "reset"]

_MOMENT = 0.02
"""Seconds between two octets of a client that sends or reads octet by octet."""

_ETHERNET = 1400
"""Octets of a segment. On loopback they are so large that the kernel would keep megabytes for each client."""


def dial(port: int, *, narrow: bool = False) -> socket.socket:
    """Connect to a port on loopback; a `narrow` client keeps little that it has not read."""
    client = socket.socket()
    client.settimeout(PATIENCE)
    if narrow:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _ETHERNET)
    client.connect(("127.0.0.1", port))
    return client


def reset(client: socket.socket) -> None:
    """Leave without saying goodbye."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def ask(path: str, *lines: str) -> bytes:
    """Return a request."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: a", *lines, "", ""]).encode()


def post(path: str, body: bytes, *lines: str) -> bytes:
    """Return a request with a body."""
    head = "\r\n".join([f"POST {path} HTTP/1.1", "Host: a", f"Content-Length: {len(body)}", *lines, "", ""])
    return head.encode() + body


@dataclass(frozen=True)
class Stall:
    """A way to stall: what is said at once, what is done now and then, and how it ends."""

    says: bytes
    drips: bytes = b""
    """Sent again and again."""
    reads: int | None = None
    """Octets read now and then; None: all that comes."""
    stays: bool = False
    """Does not close after the server has closed its side."""
    status: int | None = None
    """Of the only response that it reads to the end."""
    end: str = "closed"
    counted: str | None = None
    """Where the server counts it."""


STALLS = {
    "silent": Stall(b""),
    "half a head": Stall(b"GET / HTTP/1.1\r\nHo", status=408, counted="head_timeout"),
    "a head octet by octet": Stall(b"GET / HTTP/1.1\r\nHost: ", drips=b"a", status=408, counted="head_timeout"),
    "half a body": Stall(post("/", bytes(1000))[:-500], status=408, counted="body_timeout"),
    "half a chunk": Stall(
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc", status=408, counted="body_timeout"
    ),
    "a body octet by octet": Stall(post("/", bytes(100_000))[:-99_999], drips=b"a", status=408, counted="body_timeout"),
    "never reads": Stall(ask("/endless"), reads=0, end="reset", counted="write_timeout"),
    "reads octet by octet": Stall(ask("/endless"), reads=1, end="reset", counted="write_timeout"),
    "never closes": Stall(b"?\r\n\r\n", drips=b"a", stays=True, status=400),
    "comes back too late": Stall(GET, status=200),
}
"""In each phase of a connection; the application has to send without end for /endless."""


class _Client:
    def __init__(self, port: int, stall: Stall) -> None:
        self.stall = stall
        self.socket = dial(port, narrow=True)
        self.socket.sendall(stall.says)
        self.socket.setblocking(False)
        self.received = bytearray()
        self.ended = False
        """The server has closed its side."""
        self.end: str | None = None

    def hear(self, events: int) -> None:
        if events & select.POLLERR:
            error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            reset = error in (errno.ECONNRESET, errno.EPIPE) and not self.stall.stays  # who sends in vain is reset
            self.end = "reset" if reset else "closed"
        elif self.stall.reads is None and not self.ended:
            if data := self.socket.recv(65536):
                self.received += data
                return
            self.ended = True
            if not self.stall.stays:
                self.end = "closed"
        elif events & select.POLLHUP:
            self.end = "closed"

    def stall_on(self) -> None:
        try:
            if self.stall.reads:
                self.received += self.socket.recv(self.stall.reads)
            elif self.stall.drips:
                self.socket.send(self.stall.drips)
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            self.end = "closed" if self.stall.stays else "reset"

    def interest(self) -> int:
        return select.POLLIN if self.stall.reads is None and not self.ended else 0


class Crowd:
    """Many clients that stall, until the server has parted with each."""

    def __init__(self, port: int, kinds: Iterable[str]) -> None:
        self.clients: list[_Client] = []
        self._waiting: dict[int, _Client] = {}
        self._poll = select.poll()
        self._next = 0.0
        for kind in kinds:
            client = _Client(port, STALLS[kind])
            self.clients.append(client)
            self._waiting[client.socket.fileno()] = client
            self._poll.register(client.socket.fileno(), client.interest())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for client in self.clients:
            client.socket.close()

    def step(self) -> None:
        """Hear what the server has to say now, and stall on."""
        for descriptor, events in self._poll.poll(_MOMENT * 1000 if len(self._waiting) < 50 else 0):
            client = self._waiting[descriptor]
            client.hear(events)
            if client.end is None:
                self._poll.modify(descriptor, client.interest())
            else:
                self._part(descriptor)
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _MOMENT
            for descriptor, client in list(self._waiting.items()):
                client.stall_on()
                if client.end is not None:
                    self._part(descriptor)

    def _part(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        self._waiting.pop(descriptor).socket.close()

    def run(self, meanwhile: Callable[[], object]) -> None:
        """Stall, and do something else, too, until the server has parted with each."""
        end = time.monotonic() + 2 * PATIENCE
        while self._waiting:
            assert time.monotonic() < end, f"not parted with: {Counter(c.stall for c in self._waiting.values())}"
            self.step()
            meanwhile()

    def assert_each_was_dealt_with(self) -> None:
        """Each has had the answer, and the end, that it was to have."""
        for client in self.clients:
            stall = client.stall
            assert client.end == stall.end, (stall, client.end, bytes(client.received))
            if stall.reads is None:
                statuses = [reply.status for reply in replies(bytes(client.received))]
                assert statuses == ([stall.status] if stall.status else []), stall

    def counts(self) -> Counter[str]:
        """Return what the server should have counted."""
        return Counter(client.stall.counted for client in self.clients if client.stall.counted)

"""A load client of clients who wait: each connection sends a request, reads the whole answer, and sends the next.

It keeps the time of every single request, from just before it is sent until just after its last octet was read. So a
slow answer is one slow sample: no percentile is corrected for the requests that a client would have sent meanwhile,
as wrk's are. One thread, epoll, raw sockets of 127.0.0.1; about 10 µs of CPU per request, most of it in the kernel.

It is for what the generator of `wsgiraw compare` does not do: the time of each request by its path, bodies that say who
has answered, and TLS. It does not read framing: an answer is complete when it ends with END, which benchmarks/slow.py
sees to. After an answer with Connection: close it connects anew; a connection that is closed without that word is a
failure, and a client who cannot connect leaves. Connecting holds up the other clients, a handshake of TLS does not.
"""

import gc
import math
import select
import socket
import ssl
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

END = b"done\n"
RIGHT = b"HTTP/1.1 200 "
CLOSES = b"onnection: close\r\n"
PATIENCE = 30.0
"""Seconds that connecting may take, and that requests in flight get once the time is over, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of clients saw, by the number of the request that they chose."""

    seconds: float
    """How long requests were sent."""
    answered: list[int]
    """Complete answers of status 200 within that time."""
    microseconds: "list[array[int]]"
    """Time of each request that was answered, those that were in flight at the end included."""
    failed: int
    """Any other answer, none in the end, and connections that failed or were closed before one was complete."""
    busy: float
    """Share of its core that this client used: near 1, it measured itself."""
    bodies: Counter[bytes]
    """How often each body was answered, if wanted."""

    @property
    def rate(self) -> float:
        """Answers per second, of all requests together."""
        return sum(self.answered) / self.seconds


def percentile(values: Sequence[int], percent: float) -> int:
    """The least of `values` that `percent` % of them do not exceed (nearest rank, no interpolation)."""
    rank = math.ceil(len(values) * percent / 100 - 1e-9)  # 99.9 is no binary fraction
    return sorted(values)[max(rank, 1) - 1] if values else 0


class _Connection:
    """A client's connection and the one request that is on its way."""

    __slots__ = ("began", "client", "number", "partial", "socket", "unsent")

    def __init__(self, port: int, client: Iterator[int], patience: float, context: ssl.SSLContext | None) -> None:
        self.client = client
        self.number = self.began = 0
        self.partial = self.unsent = b""
        self.socket = socket.create_connection(("127.0.0.1", port), patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1", do_handshake_on_connect=False)
        self.socket.setblocking(False)  # so that Python asks the kernel only once per recv and send

    def begin(self, request: bytes) -> None:
        """Send the first request, which by TLS has to wait for the end of the handshake."""
        if isinstance(self.socket, ssl.SSLSocket):
            self.unsent = request
            with suppress(ssl.SSLWantReadError):
                self.socket.do_handshake()
        else:
            self.socket.send(request)

    def answer(self) -> bytes | None:
        """The whole answer, None while some of it is missing, less than all if it breaks off or is no 200."""
        try:
            if self.unsent and isinstance(self.socket, ssl.SSLSocket):
                self.socket.do_handshake()
                self.socket.send(self.unsent)
                self.unsent = b""
            data = self.socket.recv(65536)
        except ssl.SSLWantReadError:
            return None  # the handshake goes on, or that was a session ticket
        except OSError:
            return b""
        if data.endswith(END) and not self.partial:
            return data
        self.partial += data
        if not data:
            return b""
        if self.partial.startswith(RIGHT[: len(self.partial)]) and not self.partial.endswith(END):
            return None
        data, self.partial = self.partial, b""
        return data


class _Clients:
    """Those of one run: sends, receives, keeps time."""

    def __init__(
        self,
        port: int,
        requests: Sequence[bytes],
        *,
        keep_alive: bool,
        keep_bodies: bool,
        patience: float,
        context: ssl.SSLContext | None,
    ) -> None:
        self.times = [array("q") for _ in requests]
        self.bodies: Counter[bytes] = Counter()
        self.failed = 0
        self.waiting: dict[int, _Connection] = {}  # by descriptor
        self._port, self._requests = port, requests
        self._keep_alive, self._keep_bodies = keep_alive, keep_bodies
        self._patience, self._context = patience, context
        self._poll = select.epoll()

    def begin(self, client: Iterator[int]) -> None:
        """Send a client's next request on a new connection."""
        number, began = next(client), time.perf_counter_ns()
        try:
            connection = _Connection(self._port, client, self._patience, self._context)
            connection.number, connection.began = number, began
            connection.begin(self._requests[number])
        except OSError:
            self.failed += 1
            return
        self.waiting[connection.socket.fileno()] = connection
        self._poll.register(connection.socket, select.EPOLLIN)

    def turn(self, end: int) -> None:
        """Take what has arrived within 100 ms; whoever got an answer sends the next request, unless it is over."""
        clock = time.perf_counter_ns
        for descriptor, _ in self._poll.poll(0.1):
            connection = self.waiting[descriptor]
            answer = connection.answer()
            if answer is None:
                continue
            now = clock()
            right = answer.startswith(RIGHT)
            if right:
                self.times[connection.number].append((now - connection.began) // 1000)
                if self._keep_bodies:
                    self.bodies[answer.rpartition(b"\r\n\r\n")[2]] += 1
            else:
                self.failed += 1
            if self._keep_alive and right and CLOSES not in answer and now < end:
                number = connection.number = next(connection.client)
                connection.began = clock()
                try:
                    connection.socket.send(self._requests[number])
                    continue
                except OSError:
                    self.failed += 1
            del self.waiting[descriptor]
            connection.socket.close()  # and out of the epoll with it
            if now < end:
                self.begin(connection.client)

    def close(self) -> None:
        """Leave; whoever still waits counts as failed."""
        self.failed += len(self.waiting)
        for connection in self.waiting.values():
            connection.socket.close()
        self._poll.close()


def drive(
    port: int,
    requests: Sequence[bytes],
    clients: Sequence[Iterator[int]],
    seconds: float,
    *,
    keep_alive: bool = True,
    keep_bodies: bool = False,
    patience: float = PATIENCE,
    context: ssl.SSLContext | None = None,
) -> Outcome:
    """Let each client send, for so many seconds, the requests whose numbers its iterator gives; by TLS with `context`.

    Without `keep_alive` every request has a connection of its own, and its time includes connecting.
    """
    visit = _Clients(port, requests, keep_alive=keep_alive, keep_bodies=keep_bodies, patience=patience, context=context)
    collected = gc.isenabled()
    gc.disable()  # its pauses would be taken for the server's
    try:
        cpu, start = time.process_time(), time.perf_counter()
        end = start + seconds
        for client in clients:
            visit.begin(client)
        while time.perf_counter() < end:
            visit.turn(int(end * 1e9))
        answered = [len(times) for times in visit.times]
        took, cpu = time.perf_counter() - start, time.process_time() - cpu
        while visit.waiting and time.perf_counter() < end + patience:
            visit.turn(int(end * 1e9))
    finally:
        if collected:
            gc.enable()
        visit.close()
    return Outcome(took, answered, visit.times, visit.failed, cpu / took, visit.bodies)

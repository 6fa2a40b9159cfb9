"""Clients who stall: a crowd of them, each in one phase of an exchange, from which they never come any further.

    echo | python benchmarks/stalling.py PORT half-head --clients 1000

`crowd()` runs them in a process of their own: one thread, epoll, sockets that do not block, and a lower priority than
the clients who are measured beside them. Each line of its standard input is answered with a line of JSON, how the
crowd is; the end of its standard input ends it.

A client whom the server drops connects anew, so that there are always as many. Nothing is ever read: that a server
has sent something, a 408 for example, shows only by its closing. Who never closes after our close cannot be dropped:
he keeps his socket, and RENEWAL seconds after the server's end of file there is another in his place, because the
server may by then have forgotten him. Each kind comes from a loopback address of its own, for the sake of ports.
"""

import argparse
import heapq
import json
import os
import random
import select
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from idle_connections import raise_descriptor_limit
from phases import STALLS, Stall
from servers import pinned

TURN = 0.01
AT_A_TIME = 20
"""Connections that are begun in each turn, 2000 a second: stalling clients are no flood."""
RENEWAL = 3.0
KEPT = 5
"""As many times as there are clients of that kind, sockets are kept that the server has closed."""
NICENESS = 10
HUNG_UP = select.EPOLLERR | select.EPOLLHUP
CLOSED = HUNG_UP | select.EPOLLRDHUP


def descriptors(kinds: Sequence[str], clients: int) -> int:
    """How many a crowd needs, and a server at most."""
    return (len(kinds) + KEPT * any(STALLS[kind].keeps for kind in kinds)) * clients


@dataclass(slots=True, eq=False)
class _Client:
    """One of the crowd, and the connection that he has at the moment."""

    stall: Stall
    source: str
    connection: socket.socket | None = None
    connected: bool = False
    dripped: int = 0


class Crowd:
    """All of them: connects, sends, drips, and begins anew when the server closes."""

    def __init__(self, port: int, kinds: Sequence[str], clients: int) -> None:
        self._port = port
        self._poll = select.epoll()
        self._by_descriptor: dict[int, _Client] = {}
        everybody = [_Client(STALLS[kind], f"127.0.0.{2 + list(STALLS).index(kind)}") for kind in list(kinds) * clients]
        self._outside = deque(everybody)
        self._due: list[tuple[float, int, _Client, socket.socket]] = []  # when a client drips or is renewed
        self._kept: deque[socket.socket] = deque(maxlen=KEPT * clients)  # whom it forgets is closed
        self._counts: Counter[str] = Counter(clients=len(everybody))
        self._late = 0.0

    def state(self) -> dict[str, Any]:
        """Counts from the beginning, how many are connected now, and how late a drip was since this was last asked."""
        connected = sum(client.connected for client in self._by_descriptor.values())
        late, self._late = self._late, 0.0
        return {**self._counts, "connected": connected, "late": late}

    def turn(self) -> None:
        """What is to be done now, after waiting for TURN at most."""
        for descriptor, events in self._poll.poll(TURN):
            if client := self._by_descriptor.get(descriptor):
                self._happened(client, events)
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            due, _, client, used = heapq.heappop(self._due)
            if client.connection is used:  # else it was about a connection that he has no more
                self._late = max(self._late, now - due)
                self._continue(client, due)
        for _ in range(min(AT_A_TIME, len(self._outside))):
            self._connect(self._outside.popleft())

    def _connect(self, client: _Client) -> None:
        client.connection = one = socket.socket()
        client.connected, client.dripped = False, 0
        if client.stall.window:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, client.stall.window)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.setblocking(False)
        one.bind((client.source, 0))
        one.connect_ex(("127.0.0.1", self._port))  # what becomes of it is an event
        self._by_descriptor[one.fileno()] = client
        self._poll.register(one, select.EPOLLOUT | select.EPOLLRDHUP)

    def _happened(self, client: _Client, events: int) -> None:
        assert client.connection is not None
        if not events & CLOSED:
            client.connected = True
            self._poll.modify(client.connection, select.EPOLLRDHUP)
            if client.stall.at_once:
                self._send(client, client.stall.at_once)
            if client.stall.drips:
                self._later(client, time.monotonic() + random.random())  # not all in the same moment
        elif client.stall.keeps and client.connected and not events & HUNG_UP:
            self._poll.modify(client.connection, 0)
            self._later(client, time.monotonic() + RENEWAL)
        else:
            self._counts["dropped" if client.connected else "refused"] += 1
            self._leave(client)

    def _leave(self, client: _Client) -> None:
        assert client.connection is not None
        del self._by_descriptor[client.connection.fileno()]
        self._poll.unregister(client.connection)
        if client.stall.keeps and client.connected:
            self._kept.append(client.connection)
        else:
            client.connection.close()
        client.connection = None
        self._outside.append(client)

    def _later(self, client: _Client, when: float) -> None:
        assert client.connection is not None
        self._counts["plans"] += 1  # a number that decides between equal times
        heapq.heappush(self._due, (when, self._counts["plans"], client, client.connection))

    def _continue(self, client: _Client, due: float) -> None:
        if client.stall.keeps:
            self._counts["renewed"] += 1
            self._leave(client)
            return
        octet = client.stall.drips[client.dripped : client.dripped + 1] or b"x"
        client.dripped += 1
        self._counts["drips"] += 1
        self._send(client, octet)
        self._later(client, due + 1)

    def _send(self, client: _Client, data: bytes) -> None:
        assert client.connection is not None
        with suppress(OSError):  # an event follows
            client.connection.send(data)


class Beside:
    """A crowd in its own process, as the one who measures beside it sees it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def state(self) -> dict[str, Any]:
        """As Crowd.state(). Raises OSError or ValueError if the crowd has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        state: dict[str, Any] = json.loads(self._process.stdout.readline())
        return state


@contextmanager
def crowd(port: int, kinds: Sequence[str], clients: int, core: int | None) -> Iterator[Beside]:
    """A crowd while inside: so many clients of each kind, in a process of its own."""
    arguments = [sys.executable, __file__, str(port), *kinds, "--clients", str(clients)]
    with pinned(core):
        process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:  # which closes its standard input in the end, and waits
        yield Beside(process)


def main() -> None:
    """Stall until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("kinds", nargs="+", choices=list(STALLS))
    parser.add_argument("--clients", type=int, default=1000, help="of each kind (default: 1000)")
    options = parser.parse_args()
    raise_descriptor_limit(descriptors(options.kinds, options.clients))
    os.nice(NICENESS)
    people = Crowd(options.port, options.kinds, options.clients)
    questions = select.poll()
    questions.register(0, select.POLLIN)
    while True:
        people.turn()
        if questions.poll(0):
            asked = os.read(0, 4096)
            if not asked:
                return
            for _ in range(asked.count(b"\n")):
                sys.stdout.write(json.dumps(people.state()) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

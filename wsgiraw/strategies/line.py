"""The line to one client, for a thread that waits for it: receiving, sending, parting. It knows no HTTP.

Sockets never block here either; `wait` does the waiting, so that every wait has an end.
"""

import math
import time
from socket import SHUT_WR
from typing import Protocol

from wsgiraw.errors import ClientDisconnected
from wsgiraw.net import Socket, abort
from wsgiraw.strategies.progress import kept
from wsgiraw.strategies.service import Service
from wsgiraw.strategies.transmit import Outgoing, left, transmit
from wsgiraw.strategies.wait import wait

__all__ = ["Line"]

_RECEIVE = 64 * 1024

_GLANCE = 0.2
"""Seconds between two looks at whether stopping was asked for again; the first time wakes everyone who waits."""


class _Pausing(Protocol):
    def __call__(self, *, waiting: bool = False) -> None: ...


class Line:
    """A socket, and how long its client may take."""

    def __init__(self, service: Service, sock: Socket, pausing: _Pausing) -> None:
        """`pausing` is told when sending begins to wait for the client, and when it goes on."""
        self.socket = sock
        self.timeouts = service.timeouts
        self._stop = service.stop
        self._pulse = service.pulse
        self._tally = service.tally
        self._pausing = pausing

    def fileno(self) -> int:
        """Return the descriptor."""
        return self.socket.fileno()

    def receive(self) -> bytes | None:
        """Return what has arrived, b"" at its end, None for a false alarm. Raises `OSError`."""
        try:
            return self.socket.recv(_RECEIVE)
        except BlockingIOError:
            return None

    def await_ready(self, until: float, *, room: bool = False, at_stop: float = math.inf) -> bool:
        """Wait for input, or for room for output; return False at `until`, or once the time to stop is up.

        That is no longer than `at_stop` seconds after we see that we are to stop.
        """
        mine, stop = (self.socket.fileno(),), self._stop
        watched: tuple[int, ...]
        while True:
            if stop.requested:
                until, at_stop = min(until, time.monotonic() + at_stop), math.inf
                watched, limit = (), min(until, stop.deadline, time.monotonic() + _GLANCE)
            else:
                watched, limit = (stop.fileno(),), until
            readable, writable = (watched, mine) if room else ((*mine, *watched), ())
            ready = wait(readable, limit, writable=writable, pulse=self._pulse)
            if mine[0] in ready:
                return True
            if watched:
                stop.acknowledge()  # readable need not mean requested
            if time.monotonic() >= min(until, stop.deadline):
                return False

    def send(self, octets: Outgoing) -> None:
        """Send all of it, as fast as the client takes it. Raises `ClientDisconnected` where that is too slow."""
        taken = mark = 0
        due = 0.0
        while not self._stop.requested or time.monotonic() < self._stop.deadline:
            rest = transmit(self.socket, octets)
            if rest is None:
                return
            taken += left(octets) - left(rest)
            octets = rest
            if not due:
                due, mark = time.monotonic() + self.timeouts.write, taken - kept(self.socket)
            self._pausing(waiting=True)
            if not self.await_ready(due, room=True) and time.monotonic() < self._stop.deadline:
                moved = taken - kept(self.socket)
                if moved - mark < self.timeouts.least_write:
                    self._tally.count("write_timeout")
                    break
                due, mark = time.monotonic() + self.timeouts.write, moved
            self._pausing()
        abort(self.socket)
        raise ClientDisconnected

    def part(self, *, linger: bool) -> None:
        """Close after the last word; where the client did not ask for that, once it has read it (RFC 9112 §9.6)."""
        if linger and self.timeouts.linger:
            self.socket.shutdown(SHUT_WR)
            until = time.monotonic() + self.timeouts.linger
            while time.monotonic() < until and self.await_ready(until) and self.receive() != b"":
                pass  # who goes on sending does not get longer
        self.socket.close()

"""One connection served from beginning to end by a thread that waits for it: what the simple strategies share.

Sockets never block here either; `select.poll` does the waiting, so that every wait has an end.
"""

import math
import select
import time
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from socket import SHUT_WR, socket
from typing import Any

from wsgiraw.errors import ApplicationError, ClientDisconnected, HTTPError
from wsgiraw.http11 import Connection, State
from wsgiraw.http11.response import CONTINUE
from wsgiraw.net import abort
from wsgiraw.strategies.stop import Stop
from wsgiraw.strategies.timeouts import Timeouts
from wsgiraw.strategies.transmit import Outgoing, transmit
from wsgiraw.wsgi import Gateway, open_spool_file

__all__ = ["Exchanges", "wait"]

_RECEIVE = 64 * 1024

_GLANCE = 0.2
"""Seconds between two looks at whether stopping was asked for again; the first time wakes everyone who waits."""


def wait(readable: Iterable[int], until: float, *, writable: Iterable[int] = ()) -> set[int]:
    """Wait until a descriptor is ready, or `until` (monotonic seconds); return those that are."""
    poll = select.poll()
    for descriptor in readable:
        poll.register(descriptor, select.POLLIN)
    for descriptor in writable:
        poll.register(descriptor, select.POLLOUT)
    remaining = None if until == math.inf else max(until - time.monotonic(), 0) * 1000
    return {descriptor for descriptor, _ in poll.poll(remaining)}


class Exchanges:
    """The requests and responses of one connection, one after the other."""

    def __init__(self, sock: socket, gateway: Gateway, environ: dict[str, Any], timeouts: Timeouts, stop: Stop) -> None:
        self._socket = sock
        self._gateway = gateway
        self._environ = environ
        self._timeouts = timeouts
        self._stop = stop
        self._connection = Connection(gateway.limits, open_spool_file)
        self._lingers = False

    def run(self, rivals: Iterable[int] = (), *, once: bool = False) -> None:
        """Serve until either side ends the connection, then close it.

        While the client is idle and one of the descriptors in `rivals` is readable, the connection is given up for it.
        `once` ends it after one response.
        """
        try:
            self._serve(tuple(rivals), once)
            self._part()
        except ApplicationError:
            abort(self._socket)
        except (ClientDisconnected, OSError):
            self._socket.close()
        finally:
            self._connection.close()

    def _serve(self, rivals: tuple[int, ...], once: bool) -> None:
        connection, gateway = self._connection, self._gateway
        began = time.monotonic()
        answered = False
        while True:
            gateway.clock.update()
            try:
                request = connection.next_request()
                if request is None:
                    if connection.state is State.CLOSED:
                        return
                    if connection.takes_continue():
                        self._send(CONTINUE)
                    if connection.state is State.IDLE:
                        began = math.nan
                        if not self._receive_first(rivals, answered):
                            return
                        began = time.monotonic()
                    else:
                        self._receive_more(connection.state, began)
                    continue
            except HTTPError as error:
                self._lingers = True
                self._send(gateway.reject(error, self._environ))
                return
            self._lingers = request.keep_alive or connection.has_input
            if once or self._stop.requested or not self._timeouts.keep_alive or (answered and self._rivalled(rivals)):
                request.keep_alive = False
            response = gateway.respond(request, self._environ, self._write_now)
            try:
                for octets in response:
                    self._send(octets)
            finally:
                response.close()  # type: ignore[attr-defined]  # a generator
            answered = True
            began = time.monotonic()

    def _rivalled(self, rivals: tuple[int, ...]) -> bool:
        """Whether somebody else waits: one client that never pauses must not keep them out."""
        return bool(rivals and wait(rivals, 0))

    def _receive_first(self, rivals: tuple[int, ...], answered: bool) -> bool:
        """Wait for the first octets of a request; return False where the connection is to be given up."""
        stop, mine = self._stop, self._socket.fileno()
        until = time.monotonic() + (self._timeouts.keep_alive if answered else self._timeouts.head)
        while True:
            others = rivals if answered else ()
            ready = wait([mine], 0) if stop.requested else wait([mine, stop.fileno(), *others], until)
            if mine in ready:
                self._receive()
                return True
            if ready != {stop.fileno()} or stop.requested:
                self._lingers = False  # nothing was asked
                return False
            stop.acknowledge()  # a signal that means something else, or the handler is about to run

    def _receive_more(self, state: State, began: float) -> None:
        """Wait for more of a request that has begun."""
        if state is State.HEAD:
            until, part = began + self._timeouts.head, "head"
        else:
            until, part = time.monotonic() + self._timeouts.body, "body"
        if not self._await(until):
            raise HTTPError(HTTPStatus.REQUEST_TIMEOUT, f"the request {part} took too long")
        self._receive()

    def _receive(self) -> None:
        with suppress(BlockingIOError):  # a false alarm: wait again
            self._connection.receive(self._socket.recv(_RECEIVE))

    def _await(self, until: float, *, room: bool = False) -> bool:
        """Wait for input, or for room for output; return False at `until`, or once the time to stop is up."""
        mine, stop = (self._socket.fileno(),), self._stop
        watched: tuple[int, ...]
        while True:
            if stop.requested:
                watched, limit = (), min(until, stop.deadline, time.monotonic() + _GLANCE)
            else:
                watched, limit = (stop.fileno(),), until
            ready = wait(watched, limit, writable=mine) if room else wait((*mine, *watched), limit)
            if mine[0] in ready:
                return True
            if watched:
                stop.acknowledge()  # readable need not mean requested
            if time.monotonic() >= min(until, stop.deadline):
                return False

    def _send(self, octets: Outgoing) -> None:
        while not self._stop.requested or time.monotonic() < self._stop.deadline:
            rest = transmit(self._socket, octets)
            if rest is None:
                return
            if not self._await(time.monotonic() + self._timeouts.write, room=True):
                break
            octets = rest
        abort(self._socket)
        raise ClientDisconnected

    def _write_now(self, octets: bytes) -> int:
        """Send octets of the application's `write()`."""
        try:
            self._send(octets)
        except OSError as error:
            raise ClientDisconnected from error
        return len(octets)

    def _part(self) -> None:
        """Close after the last word; where the client did not ask for that, once it has read it (RFC 9112 §9.6)."""
        if self._lingers and self._timeouts.linger and not self._connection.ended:
            self._socket.shutdown(SHUT_WR)
            until = time.monotonic() + self._timeouts.linger
            while self._await(until) and self._socket.recv(_RECEIVE):
                pass
        self._socket.close()

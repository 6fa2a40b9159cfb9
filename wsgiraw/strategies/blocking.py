"""One connection served from beginning to end by a thread that waits for it: what the simple strategies share.

Sockets never block here either; `wait` does the waiting, so that every wait has an end.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from socket import SHUT_WR, socket
from typing import Any

from wsgiraw.errors import ApplicationError, ClientDisconnected, HTTPError
from wsgiraw.http11 import Connection, Request, State
from wsgiraw.http11.response import CONTINUE
from wsgiraw.net import abort
from wsgiraw.observe import log
from wsgiraw.strategies.service import Service
from wsgiraw.strategies.timeouts import LAST
from wsgiraw.strategies.transmit import Outgoing, cut_off, transmit
from wsgiraw.strategies.wait import wait
from wsgiraw.wsgi import open_spool_file

__all__ = ["PAUSE", "Exchanges"]

PAUSE = 0.5
"""Seconds without accepting after the descriptors ran out."""

_RECEIVE = 64 * 1024

_GLANCE = 0.2
"""Seconds between two looks at whether stopping was asked for again; the first time wakes everyone who waits."""

_BRIEF = 0.5
"""Seconds that a client who is refused has to read why; nobody is accepted meanwhile."""


def _willing() -> bool:
    return True


class Exchanges:
    """The requests and responses of one connection, one after the other."""

    def __init__(self, service: Service, sock: socket, environ: dict[str, Any]) -> None:
        """`service.stop` is acknowledged here: it belongs to this thread alone."""
        self._socket = sock
        self._gateway = service.gateway
        self._environ = environ
        self._timeouts = service.timeouts
        self._stop = service.stop
        self._pulse = service.pulse
        self._connection = Connection(service.gateway.limits, open_spool_file)
        self._lingers = False
        self._request: Request | None = None
        """That is being answered."""
        self._rivals: tuple[int, ...] = ()
        self._makes_way = _willing

    def run(self, rivals: Iterable[int] = (), makes_way: Callable[[], bool] = _willing, *, once: bool = False) -> None:
        """Serve until either side ends the connection, then close it.

        While the client is idle and one of the descriptors in `rivals` is readable, the connection is given up for it
        if then `makes_way()`. `once` ends it after one response.
        """
        self._rivals, self._makes_way = tuple(rivals), makes_way
        with self._closing():
            self._serve(once)

    def refuse(self, why: str) -> None:
        """Answer with 503, whatever the client wants, and close."""
        self._timeouts = replace(self._timeouts, write=_BRIEF, linger=_BRIEF)
        error = HTTPError(HTTPStatus.SERVICE_UNAVAILABLE, why)
        error.retry_after = 1
        with self._closing():
            self._reject(error)

    @contextmanager
    def _closing(self) -> Iterator[None]:
        try:
            yield
            self._part()
        except ApplicationError:
            abort(self._socket)
        except (ClientDisconnected, OSError):
            self._socket.close()
        except BaseException as error:
            abort(self._socket)
            if not isinstance(error, KeyboardInterrupt) or threading.current_thread() is threading.main_thread():
                raise  # a fault of ours, or the operator's Ctrl-C; in any other thread that is the application's own
            log.error("the application raised KeyboardInterrupt")
        finally:
            self._connection.close()

    def _serve(self, once: bool) -> None:
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
                        if not self._receive_first(answered):
                            return
                        began = time.monotonic()
                    else:
                        self._receive_more(connection.state, began)
                    continue
            except HTTPError as error:
                self._reject(error)
                return
            self._lingers = request.keep_alive or connection.has_input
            if once or self._stop.draining or not self._timeouts.keep_alive or (answered and self._rivalled()):
                request.keep_alive = False
            self._request = request
            self._watch_over()
            response = gateway.respond(request, self._environ, self._write_now)
            try:
                for octets in response:
                    self._send(octets)
            finally:
                response.close()  # type: ignore[attr-defined]  # a generator
                self._request = None
            answered = True
            began = time.monotonic()

    def _reject(self, error: HTTPError) -> None:
        self._lingers = True
        self._send(self._gateway.reject(error, self._environ))

    def _rivalled(self) -> bool:
        """Whether somebody else waits: one client that never pauses must not keep them out."""
        return bool(self._rivals and wait(self._rivals, 0))

    def _receive_first(self, answered: bool) -> bool:
        """Wait for the first octets of a request; return False where the connection is to be given up."""
        stop, mine = self._stop, self._socket.fileno()
        until = time.monotonic() + (self._timeouts.keep_alive if answered else self._timeouts.head)
        rivals = self._rivals if answered else ()
        while True:
            stopping = stop.requested
            if stopping:
                until = min(until, time.monotonic() + LAST, stop.deadline)
            watched = () if stopping else (stop.fileno(), *rivals)
            ready = wait((mine, *watched), until, pulse=self._pulse)
            if mine in ready:
                self._receive()
                return True
            if stopping or not ready or (not ready.isdisjoint(rivals) and self._makes_way()):
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
            readable, writable = (watched, mine) if room else ((*mine, *watched), ())
            ready = wait(readable, limit, writable=writable, pulse=self._pulse)
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
            self._watch_over(waiting=True)
            if not self._await(time.monotonic() + self._timeouts.write, room=True):
                break
            self._watch_over()
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

    def _watch_over(self, *, waiting: bool = False) -> None:
        """Have the application's time counted from here on, or no longer, because it is the client we wait for."""
        patience, request = self._gateway.patience, self._request
        if patience is None or request is None:
            return
        if waiting:
            patience.pause(request)
        else:
            patience.enter(request, self._environ, partial(cut_off, self._socket))

    def _part(self) -> None:
        """Close after the last word; where the client did not ask for that, once it has read it (RFC 9112 §9.6)."""
        if self._lingers and self._timeouts.linger and not self._connection.ended:
            self._socket.shutdown(SHUT_WR)
            until = time.monotonic() + self._timeouts.linger
            while self._await(until) and self._socket.recv(_RECEIVE):
                pass
        self._socket.close()

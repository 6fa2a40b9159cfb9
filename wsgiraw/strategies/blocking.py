"""One connection served from beginning to end by a thread that waits for it: what the simple strategies share."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http import HTTPStatus

from wsgiraw.errors import ApplicationError, ClientDisconnected, HTTPError
from wsgiraw.http11 import Request, State
from wsgiraw.http11.response import CONTINUE
from wsgiraw.net import NotTLS, ProxyProtocolError, TLSSocket, abort, leave
from wsgiraw.observe import log
from wsgiraw.strategies.line import Line
from wsgiraw.strategies.service import Newcomer, Service, opened
from wsgiraw.strategies.timeouts import LAST
from wsgiraw.strategies.transmit import cut_off
from wsgiraw.strategies.wait import wait

__all__ = ["PAUSE", "Exchanges"]

PAUSE = 0.5
"""Seconds without accepting after the descriptors ran out."""

_BRIEF = 0.5
"""Seconds that a client who is refused has to read why; nobody is accepted meanwhile."""


def _willing() -> bool:
    return True


class Exchanges:
    """The requests and responses of one connection, one after the other."""

    def __init__(self, service: Service, newcomer: Newcomer) -> None:
        """`service.stop` is acknowledged here: it belongs to this thread alone."""
        self._line = Line(service, newcomer.socket, self._watch_over)
        self._gateway = service.gateway
        self._environ = newcomer.environ
        self._opening = newcomer.opening
        self._tally = service.tally
        self._timeouts = service.timeouts
        self._stop = service.stop
        self._pulse = service.pulse
        self._connection = service.new_connection(service.gateway, newcomer.environ)
        self._lingers = False
        self._request: Request | None = None
        """That is being answered."""
        self._body_due, self._body_mark = 0.0, 0
        """Until when enough of a body must arrive, 0 while none does, and how much had arrived when that was set."""
        self._rivals: tuple[int, ...] = ()
        self._makes_way = _willing

    def run(self, rivals: Iterable[int] = (), makes_way: Callable[[], bool] = _willing, *, once: bool = False) -> None:
        """Serve until either side ends the connection, then close it.

        While the client is idle and one of the descriptors in `rivals` is readable, the connection is given up for it
        if then `makes_way()`. `once` ends it after one response.
        """
        self._rivals, self._makes_way = tuple(rivals), makes_way
        with self._closing():
            if self._open():
                self._serve(once)

    def refuse(self, why: str) -> None:
        """Answer with 503, whatever the client wants, and close."""
        self._timeouts = self._line.timeouts = replace(self._timeouts, handshake=_BRIEF, write=_BRIEF, linger=_BRIEF)
        error = HTTPError(HTTPStatus.SERVICE_UNAVAILABLE, why)
        error.retry_after = 1
        with self._closing():
            if self._open():
                self._reject(error)

    @contextmanager
    def _closing(self) -> Iterator[None]:
        try:
            yield
            self._line.part(linger=self._lingers and not self._connection.ended)
        except ApplicationError:
            abort(self._line.socket)
        except (ClientDisconnected, OSError):
            leave(self._line.socket)
        except BaseException as error:
            abort(self._line.socket)
            if not isinstance(error, KeyboardInterrupt) or threading.current_thread() is threading.main_thread():
                raise  # a fault of ours, or the operator's Ctrl-C; in any other thread that is the application's own
            log.error("the application raised KeyboardInterrupt")
        finally:
            self._connection.close()

    def _open(self) -> bool:
        """Do what comes before HTTP; return whether HTTP may begin."""
        opening, until = self._opening, time.monotonic() + self._timeouts.handshake
        if opening is None:
            return True
        try:
            while not opening.advance():
                if not self._line.await_ready(until, room=opening.wants_room, at_stop=LAST):
                    if not self._stop.requested:
                        self._tally.count("handshake_timeout")
                    return False
        except NotTLS:
            self._reject(HTTPError(HTTPStatus.BAD_REQUEST, "this port speaks TLS: ask for https://"))
            return False
        except ProxyProtocolError as error:
            raise ClientDisconnected from error
        self._line.socket = opening.socket
        opened(opening, self._environ)
        if opening.received:
            self._connection.receive(opening.received)
        elif isinstance(opening.socket, TLSSocket):
            self._hear()  # it may hold what no poll shows
        return True

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
                        self._line.send(CONTINUE)
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
            self._body_due = 0.0
            self._watch_over()
            response = gateway.respond(request, self._environ, self._write_now)
            try:
                for octets in response:
                    self._line.send(octets)
            finally:
                response.close()  # type: ignore[attr-defined]  # a generator
                self._request = None
            answered = True
            began = time.monotonic()

    def _reject(self, error: HTTPError) -> None:
        self._lingers = True
        self._line.send(self._gateway.reject(error, self._environ))

    def _rivalled(self) -> bool:
        """Whether somebody else waits: one client that never pauses must not keep them out."""
        return bool(self._rivals and wait(self._rivals, 0))

    def _receive_first(self, answered: bool) -> bool:
        """Wait for the first octets of a request; return False where the connection is to be given up."""
        stop, mine = self._stop, self._line.fileno()
        until = time.monotonic() + (self._timeouts.keep_alive if answered else self._timeouts.head)
        rivals = self._rivals if answered else ()
        while True:
            stopping = stop.requested
            if stopping:
                until = min(until, time.monotonic() + LAST, stop.deadline)
            watched = () if stopping else (stop.fileno(), *rivals)
            ready = wait((mine, *watched), until, pulse=self._pulse)
            if mine in ready:
                self._hear()
                return True
            if stopping or not ready or (not ready.isdisjoint(rivals) and self._makes_way()):
                self._lingers = False  # nothing was asked
                return False
            stop.acknowledge()  # a signal that means something else, or the handler is about to run

    def _receive_more(self, state: State, began: float) -> None:
        """Wait for more of a request that has begun."""
        if state is State.HEAD:
            part, arrived = "head", self._line.await_ready(began + self._timeouts.head)
        else:
            part, arrived = "body", self._await_body()
        if not arrived:
            self._tally.count(f"{part}_timeout")
            raise HTTPError(HTTPStatus.REQUEST_TIMEOUT, f"the request {part} took too long")
        self._hear()

    def _await_body(self) -> bool:
        """Wait for more of a body; return False where too little of it has come in its time."""
        connection, stop = self._connection, self._stop
        if not self._body_due:
            self._body_due, self._body_mark = time.monotonic() + self._timeouts.body, connection.body_octets
        while not self._line.await_ready(self._body_due):
            enough = connection.body_octets - self._body_mark >= self._timeouts.least_body
            if not enough or time.monotonic() >= stop.deadline:
                return False
            self._body_due, self._body_mark = time.monotonic() + self._timeouts.body, connection.body_octets
        return True

    def _hear(self) -> None:
        octets = self._line.receive()
        if octets is not None:
            self._connection.receive(octets)

    def _write_now(self, octets: bytes) -> int:
        """Send octets of the application's `write()`."""
        try:
            self._line.send(octets)
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
            patience.enter(request, self._environ, partial(cut_off, self._line.socket))

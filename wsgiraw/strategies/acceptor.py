"""The listeners of a loop: accepting from them, and leaving them alone while there is no room for newcomers."""

import math
from collections.abc import Callable, Iterator
from logging import DEBUG, WARNING

from wsgiraw.net import Listener, OutOfDescriptors
from wsgiraw.observe import log
from wsgiraw.strategies.poller import EXCLUSIVE, READ, Poller
from wsgiraw.strategies.presence import is_silent
from wsgiraw.strategies.service import Newcomer, Service
from wsgiraw.strategies.timeouts import Deadlines

__all__ = ["PAUSE", "Acceptor"]

_TURN = 64
"""Connections accepted before the others get their turn."""

PAUSE = 0.5
"""Seconds without accepting after the descriptors ran out, unless a connection closes before."""

_SILENT = 60.0
"""Seconds between two warnings that say so."""

_GIVE_WAY = 0.05
"""Seconds in which another process may accept, where all threads of this one are busy and those of another are not."""


class Acceptor:
    """Listeners in a poller."""

    def __init__(
        self, service: Service, poller: Poller, is_full: Callable[[], bool], make_room: Callable[[], bool]
    ) -> None:
        """`is_full` returns whether somebody has to go before one more is let in; `make_room`, whether one has gone."""
        self._service = service
        self._poller = poller
        self._is_full = is_full
        self._make_room = make_room
        self._listeners = {listener.socket.fileno(): listener for listener in service.listeners}
        self._silent_until = -math.inf
        self._paused = Deadlines[Listener](PAUSE)
        self._giving_way = Deadlines[Listener](_GIVE_WAY)
        for descriptor in self._listeners:
            poller.register(descriptor, READ | EXCLUSIVE)

    def __contains__(self, descriptor: int) -> bool:
        return descriptor in self._listeners

    def accept(self, descriptor: int, now: float) -> Iterator[Newcomer]:
        """Yield some of the connections that a listener has queued; where there is no room for them, pause it."""
        listener = self._listeners[descriptor]
        try:
            for _ in range(_TURN):
                if self._is_full():
                    if is_silent(listener.socket):
                        return  # nobody waits, or another process has let them in: nobody has to go
                    if not self._make_room():
                        self._pause(descriptor, now, "max_connections are busy")
                        return
                newcomer = self._service.accept(listener)
                if newcomer is None:
                    return
                yield newcomer
        except OutOfDescriptors as error:
            self._pause(descriptor, now, str(error))

    def _pause(self, descriptor: int, now: float, why: str) -> None:
        severity = DEBUG
        if now >= self._silent_until:
            self._silent_until = now + _SILENT
            severity = WARNING
        log.log(severity, "not accepting for up to %s s: %s", PAUSE, why)
        self._poller.unregister(descriptor)
        self._paused.start(self._listeners[descriptor], now)

    def give_way(self, descriptor: int, now: float) -> None:
        """Leave what a listener has queued to other processes for a moment."""
        self._poller.unregister(descriptor)
        self._giving_way.start(self._listeners[descriptor], now)

    def next_due(self) -> float:
        """Return when a listener that is left alone is to be tried again, monotonic seconds."""
        return min(self._paused.first(), self._giving_way.first())

    def resume(self, now: float) -> None:
        """Accept again where the time is over."""
        self._resume(self._paused, now)
        self._resume(self._giving_way, now)

    def _resume(self, left_alone: Deadlines[Listener], now: float) -> None:
        for listener in left_alone.expired(now):
            left_alone.cancel(listener)
            self._poller.register(listener.socket.fileno(), READ | EXCLUSIVE)

    def descriptor_freed(self) -> None:
        """Accept again everywhere: there is room for one more."""
        if self._paused:
            self._resume(self._paused, math.inf)

    def thread_freed(self) -> None:
        """Give way no longer."""
        if self._giving_way:
            self._resume(self._giving_way, math.inf)

    def drain(self, now: float) -> Iterator[Newcomer]:
        """Yield all that is queued, also if there are too many, and listen no longer."""
        self._is_full = _never
        for descriptor, listener in self._listeners.items():
            if listener in self._giving_way:
                self._giving_way.cancel(listener)
                self._poller.register(descriptor, READ)
            if listener in self._paused:
                self._paused.cancel(listener)
                self._poller.register(descriptor, READ)
            while listener not in self._paused and (batch := list(self.accept(descriptor, now))):
                yield from batch
            if listener in self._paused:
                self._paused.cancel(listener)
            else:
                self._poller.unregister(descriptor)
            listener.close()
        self._listeners.clear()


def _never() -> bool:
    return False

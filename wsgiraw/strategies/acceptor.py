"""The listeners of a loop: accepting from them, and leaving them alone while descriptors have run out."""

from collections.abc import Iterator, Sequence
from socket import socket

from wsgiraw.net import Listener, OutOfDescriptors
from wsgiraw.observe import log
from wsgiraw.strategies.poller import READ, Poller
from wsgiraw.strategies.timeouts import Deadlines

__all__ = ["PAUSE", "Acceptor"]

_TURN = 64
"""Connections accepted before the others get their turn."""

PAUSE = 0.5
"""Seconds without accepting after the descriptors ran out, unless a connection closes before."""

Accepted = tuple[Listener, socket, str, str]
"""Where, the connection, and its peer's address and port."""


class Acceptor:
    """Listeners in a poller."""

    def __init__(self, listeners: Sequence[Listener], poller: Poller) -> None:
        self._poller = poller
        self._listeners = {listener.socket.fileno(): listener for listener in listeners}
        self._paused = Deadlines[Listener](PAUSE)
        for descriptor in self._listeners:
            poller.register(descriptor, READ)

    def __contains__(self, descriptor: int) -> bool:
        return descriptor in self._listeners

    def accept(self, descriptor: int, now: float) -> Iterator[Accepted]:
        """Yield some of the connections that a listener has queued; if descriptors run out, pause it."""
        listener = self._listeners[descriptor]
        try:
            for _ in range(_TURN):
                accepted = listener.accept()
                if accepted is None:
                    return
                yield (listener, *accepted)
        except OutOfDescriptors as error:
            if not self._paused:
                log.warning("not accepting for %s s: %s", PAUSE, error)
            self._poller.unregister(descriptor)
            self._paused.start(listener, now)

    def next_due(self) -> float:
        """Return when a paused listener is to be tried again, monotonic seconds."""
        return self._paused.first()

    def resume(self, now: float) -> None:
        """Accept again where the pause is over."""
        for listener in self._paused.expired(now):
            self._paused.cancel(listener)
            self._poller.register(listener.socket.fileno(), READ)

    def descriptor_freed(self) -> None:
        """Accept again everywhere: there is room for one more."""
        if self._paused:
            self.resume(float("inf"))

    def drain(self, now: float) -> Iterator[Accepted]:
        """Yield all that is queued, and listen no longer."""
        for descriptor, listener in self._listeners.items():
            while listener not in self._paused and (batch := list(self.accept(descriptor, now))):
                yield from batch
            if listener in self._paused:
                self._paused.cancel(listener)
            else:
                self._poller.unregister(descriptor)
            listener.close()
        self._listeners.clear()

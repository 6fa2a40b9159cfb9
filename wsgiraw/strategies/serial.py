"""One connection at a time: the tutorial's first loop. An idle connection makes way for the next client."""

import math
from collections.abc import Iterable, Sequence

from wsgiraw.net import Listener, OutOfDescriptors
from wsgiraw.observe import log
from wsgiraw.strategies.blocking import Exchanges, wait
from wsgiraw.strategies.stop import Stop
from wsgiraw.strategies.timeouts import Timeouts
from wsgiraw.wsgi import Gateway

__all__ = ["serve", "serve_once"]

_PAUSE = 0.5
"""Seconds without accepting after the descriptors ran out."""


def serve(listeners: Sequence[Listener], gateway: Gateway, timeouts: Timeouts, stop: Stop) -> None:
    """Serve until `stop`; what the kernel has queued by then is served too."""
    by_descriptor = {listener.socket.fileno(): listener for listener in listeners}
    while not stop.requested:
        ready = wait([stop.fileno(), *by_descriptor], math.inf)
        stop.acknowledge()  # readable need not mean requested; whoever requests says so before writing
        for descriptor in ready:
            if descriptor in by_descriptor:
                _serve_next(by_descriptor[descriptor], gateway, timeouts, stop, rivals=by_descriptor)
    for listener in listeners:
        while _serve_next(listener, gateway, timeouts, stop):
            pass
        listener.close()


def serve_once(listeners: Sequence[Listener], gateway: Gateway, timeouts: Timeouts, stop: Stop) -> None:
    """Wait for a connection and answer its first request; return at once after `stop`."""
    by_descriptor = {listener.socket.fileno(): listener for listener in listeners}
    while not stop.requested:
        ready = wait([stop.fileno(), *by_descriptor], math.inf)
        stop.acknowledge()  # readable need not mean requested; whoever requests says so before writing
        for descriptor in ready:
            listener = by_descriptor.get(descriptor)
            if listener is not None and _serve_next(listener, gateway, timeouts, stop, once=True):
                return


def _serve_next(
    listener: Listener,
    gateway: Gateway,
    timeouts: Timeouts,
    stop: Stop,
    *,
    rivals: Iterable[int] = (),
    once: bool = False,
) -> bool:
    """Accept a connection and serve it to its end; return whether there was one."""
    try:
        accepted = listener.accept()
    except OutOfDescriptors as error:
        log.warning("not accepting for %s s: %s", _PAUSE, error)
        wait([stop.fileno()], gateway.clock.update() + _PAUSE)
        return False
    if accepted is None:
        return False
    sock, address, port = accepted
    environ = gateway.connection_environ((listener.server_name, listener.server_port), (address, port))
    Exchanges(sock, gateway, environ, timeouts, stop).run(rivals, once=once)
    return True

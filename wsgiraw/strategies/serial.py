"""One connection at a time: the tutorial's first loop. An idle connection makes way for the next client."""

import math
import time
from collections.abc import Iterable, Iterator

from wsgiraw.net import Listener, OutOfDescriptors
from wsgiraw.observe import log
from wsgiraw.strategies.blocking import PAUSE, Exchanges
from wsgiraw.strategies.pulse import ROOM
from wsgiraw.strategies.service import Service
from wsgiraw.strategies.wait import wait

__all__ = ["serve", "serve_once"]


def serve(service: Service) -> None:
    """Serve until told to stop; what the kernel has queued by then is served too."""
    rivals = [listener.socket.fileno() for listener in service.listeners]
    for listener in _knocked(service):
        _serve_next(service, listener, rivals)
    service.refuse_newcomers()
    for listener in service.listeners:
        while _serve_next(service, listener):
            pass
        listener.close()


def serve_once(service: Service) -> None:
    """Wait for a connection and answer its first request; return at once when told to stop."""
    for listener in _knocked(service):
        if _serve_next(service, listener, once=True):
            return


def _knocked(service: Service) -> Iterator[Listener]:
    """Yield listeners at which somebody waits, until told to stop."""
    stop, pulse = service.stop, service.pulse
    listeners = {listener.socket.fileno(): listener for listener in service.listeners}
    pulse.ready()
    while not stop.requested:
        pulse.cells[ROOM] = 1
        ready = wait([stop.fileno(), *listeners], math.inf, pulse=pulse)
        pulse.cells[ROOM] = 0
        stop.acknowledge()  # readable need not mean requested; whoever requests says so before writing
        for descriptor in ready & listeners.keys():
            yield listeners[descriptor]


def _serve_next(service: Service, listener: Listener, rivals: Iterable[int] = (), *, once: bool = False) -> bool:
    """Accept a connection and serve it to its end; return whether there was one."""
    try:
        newcomer = service.accept(listener)
    except OutOfDescriptors as error:
        log.warning("not accepting for %s s: %s", PAUSE, error)
        wait([service.stop.fileno()], time.monotonic() + PAUSE, pulse=service.pulse)
        return False
    if newcomer is None:
        return False
    Exchanges(service, newcomer).run(rivals, once=once)
    return True

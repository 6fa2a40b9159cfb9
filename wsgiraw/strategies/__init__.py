"""How connections share threads and processes. All waiting, and everything about signals and selectors, lives here.

A strategy's `serve(service)` returns once stopped and drained; it closes the listeners.
A new one is a file and a line in `STRATEGIES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wsgiraw.strategies import eventloop, forking, handoff, pooled, serial, threaded
from wsgiraw.strategies.patience import Patience
from wsgiraw.strategies.pulse import Pulse
from wsgiraw.strategies.service import Capacity, Service
from wsgiraw.strategies.stop import Stop
from wsgiraw.strategies.tally import Tally
from wsgiraw.strategies.timeouts import Timeouts

__all__ = ["STRATEGIES", "Capacity", "Patience", "Pulse", "Service", "Stop", "Strategy", "Tally", "Timeouts"]


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to serve, and what `wsgi.multithread` and `wsgi.multiprocess` say of it (PEP 3333)."""

    serve: Callable[[Service], None]
    multithread: bool
    multiprocess: bool
    summary: str


STRATEGIES: Mapping[str, Strategy] = {
    "handoff": Strategy(
        handoff.serve, True, False, "the application runs on the event loop, and on threads once it is slow"
    ),
    "eventloop": Strategy(eventloop.serve, False, False, "one thread, no socket blocks, the application runs inline"),
    "pooled": Strategy(pooled.serve, True, False, "an event loop, and the application always on threads"),
    "threaded": Strategy(threaded.serve, True, False, "a thread for each connection, a bounded number of them"),
    "forking": Strategy(forking.serve, False, True, "a process for each connection, a bounded number of them"),
    "serial": Strategy(serial.serve, False, False, "one connection at a time"),
}

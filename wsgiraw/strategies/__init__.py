"""How connections share threads and processes. All waiting, and everything about signals and selectors, lives here.

A strategy's `serve(listeners, gateway, timeouts, stop)` returns once stopped and drained; it closes the listeners.
A new one is a file and a line in `STRATEGIES`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from wsgiraw.net import Listener
from wsgiraw.strategies import eventloop, serial
from wsgiraw.strategies.stop import Stop
from wsgiraw.strategies.timeouts import Timeouts
from wsgiraw.wsgi import Gateway

__all__ = ["STRATEGIES", "Stop", "Strategy", "Timeouts"]


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to serve, and what `wsgi.multithread` and `wsgi.multiprocess` say of it (PEP 3333)."""

    serve: Callable[[Sequence[Listener], Gateway, Timeouts, Stop], None]
    multithread: bool
    multiprocess: bool
    summary: str


STRATEGIES: Mapping[str, Strategy] = {
    "eventloop": Strategy(eventloop.serve, False, False, "one thread, no socket blocks, the application runs inline"),
    "serial": Strategy(serial.serve, False, False, "one connection at a time"),
}

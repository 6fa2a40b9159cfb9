"""Waiting for a few descriptors, once: for threads that serve one connection, and for whoever accepts for them.

A poll object of its own for each wait costs no descriptor. Loops, which wait for many and for long, use poller.py.
"""

import math
import select
import time
from collections.abc import Iterable

from wsgiraw.strategies.pulse import TURNS, WAITING, Pulse

__all__ = ["wait"]


def wait(
    readable: Iterable[int], until: float, *, writable: Iterable[int] = (), pulse: Pulse | None = None
) -> set[int]:
    """Wait until a descriptor is ready, or `until` (monotonic seconds); return those that are. `pulse` shows it."""
    poll = select.poll()
    for descriptor in readable:
        poll.register(descriptor, select.POLLIN)
    for descriptor in writable:
        poll.register(descriptor, select.POLLOUT)
    remaining = None if until == math.inf else max(until - time.monotonic(), 0) * 1000
    if pulse is not None:
        pulse.cells[WAITING] = 1
    ready = {descriptor for descriptor, _ in poll.poll(remaining)}
    if pulse is not None:
        pulse.cells[WAITING] = 0
        pulse.cells[TURNS] += 1
    return ready

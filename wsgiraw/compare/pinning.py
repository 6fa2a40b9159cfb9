"""The cores on which what is started next runs. It starts nothing, and does not choose them: `servers.machine` does."""

import os
from collections.abc import Iterator, Set
from contextlib import contextmanager

__all__ = ["pinned"]


@contextmanager
def pinned(cores: Set[int] | None) -> Iterator[None]:
    """Give these cores to every process that is started inside, from its first instruction; None: all of ours.

    They are inherited, by threads and processes of its own, too. It is for the thread that calls it.
    """
    if not cores:
        yield
        return
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)

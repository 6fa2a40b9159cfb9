"""The wish to stop: recorded by a signal handler or another thread, seen by a strategy wherever it waits."""

import math
import os
import threading
import time
from contextlib import suppress

__all__ = ["Stop"]


class Stop:
    """Asked once, a strategy finishes what is in flight within `graceful_timeout` seconds; asked twice, it drops it.

    `fileno()` is readable once stopping was asked for, for use in a poll.
    """

    def __init__(self, graceful_timeout: float) -> None:
        self._graceful_timeout = graceful_timeout
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._lock = threading.RLock()  # re-entrant: a signal handler may find its own thread in here
        self._closed = False
        self.requested = False
        self.deadline = math.inf
        """Monotonic seconds: when what is still in flight is dropped."""

    def request(self) -> None:
        """Ask to stop. Safe in a signal handler: it records and wakes, nothing else."""
        now = time.monotonic()
        with self._lock:
            self.deadline = now if self.requested else now + self._graceful_timeout
            self.requested = True
            if not self._closed:
                with suppress(BlockingIOError):  # full, thus readable
                    os.write(self._writer, b"\0")

    def fileno(self) -> int:
        """Return the descriptor that becomes readable."""
        return self._reader

    @property
    def wakeup_descriptor(self) -> int:
        """For `signal.set_wakeup_fd`: what is written here makes `fileno()` readable.

        Only so does a signal that arrives just before a wait begins end it: Python calls a handler between bytecodes,
        which is after the wait. Signals of the application's own write here too, so readable need not mean requested.
        """
        return self._writer

    def acknowledge(self) -> None:
        """Make `fileno()` unreadable until stopping is asked for again."""
        with suppress(BlockingIOError):
            os.read(self._reader, 4096)

    def close(self) -> None:
        """Give the descriptors back. Later requests wake nobody."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._reader)
                os.close(self._writer)

"""The wish to stop: recorded by a signal handler or another thread, seen by a strategy wherever it waits."""

import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from wsgiraw.strategies.poller import READ, Poller, new_poller

__all__ = ["Stop"]


class Stop:
    """Asked once, a strategy finishes what is in flight within `graceful_timeout` seconds; asked twice, it drops it.

    `fileno()` is readable once there is news, for use in a poll; `acknowledge()` then takes note of it.
    """

    def __init__(self, graceful_timeout: float, master: int | None = None) -> None:
        """`master` is a descriptor that becomes readable when our master is no more: that is a wish to stop, too."""
        self._graceful_timeout = graceful_timeout
        self._master = master
        self._process = os.getpid()
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._both: Poller | None = None
        if master is not None:
            self._both = new_poller()
            self._both.register(self._reader, READ)
            self._both.register(master, READ)
        self._posted: deque[Callable[[], object]] = deque()
        self._lock = threading.RLock()  # re-entrant: a signal handler may find its own thread in here
        self._closed = False
        self.draining = False
        """We are about to stop: connections are still accepted, but each ends with its next response."""
        self.requested = False
        self.deadline = math.inf
        """Monotonic seconds: when what is still in flight is dropped."""

    def drain(self) -> None:
        """Announce that stopping will be asked for, with `--drain-delay`. Safe in a signal handler."""
        self.draining = True
        self.wake()

    def request(self) -> None:
        """Ask to stop. Safe in a signal handler: it records and wakes, nothing else."""
        now = time.monotonic()
        with self._lock:
            self.deadline = now if self.requested else now + self._graceful_timeout
            self.draining = self.requested = True
        self.wake()

    def post(self, action: Callable[[], object]) -> None:
        """Have `action` called by the strategy, where it calls `acknowledge()`. Safe in a signal handler."""
        self._posted.append(action)
        self.wake()

    def wake(self) -> None:
        """Make `fileno()` readable: there is something to look at."""
        with self._lock:
            if not self._closed:
                with suppress(BlockingIOError):  # full, thus readable
                    os.write(self._writer, b"\0")

    def fileno(self) -> int:
        """Return the descriptor that becomes readable."""
        return self._reader if self._both is None else self._both.fileno()

    @property
    def wakeup_descriptor(self) -> int:
        """For `signal.set_wakeup_fd`: what is written here makes `fileno()` readable.

        Only so does a signal that arrives just before a wait begins end it: Python calls a handler between bytecodes,
        which is after the wait. Signals of the application's own write here too, so readable need not mean requested.
        """
        return self._writer

    def acknowledge(self) -> None:
        """Make `fileno()` unreadable until there is news again; do what was posted; notice that the master has gone."""
        with suppress(BlockingIOError):
            os.read(self._reader, 4096)
        while self._posted:  # after the read: whoever posts later writes later, too
            self._posted.popleft()()
        master = self._master
        if self._both is None or master is None or self._process != os.getpid():
            return  # a forked child shares what it would change here
        if any(found == master for found, _ in self._both.poll(0)):
            self._both.unregister(master)  # it would be readable for ever
            self._master = None
            if not self.requested:
                self.request()

    def close(self) -> None:
        """Give the descriptors back. Later requests wake nobody."""
        if self._process != os.getpid():
            self._lock = threading.RLock()  # a forked child: whoever held the lock at that moment is not here to let go
        with self._lock:
            if not self._closed:
                self._closed = True
                if self._both is not None:
                    self._both.close()
                os.close(self._reader)
                os.close(self._writer)

"""N processes, each with a strategy of its own over the same listening sockets: a master that forks and never serves.

The master waits in `sigtimedwait` with the signals it minds blocked, so none is lost and no handler runs. It replaces a
worker that dies; one that died young is replaced after a pause, so that a fault at start does not spin. A worker ends
when the master tells it to, or when the master is no more.
"""

import math
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import NoReturn

from wsgiraw.observe import log

__all__ = ["supervise"]

_STOPPING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
_MINDED = (signal.SIGCHLD, *_STOPPING)

_YOUNG = 1.0
"""A worker that lives for less is replaced only this long after its start, seconds."""

_GRACE = 1.0
"""Seconds that a worker has beyond its time to stop, before it is killed."""

Work = Callable[[Callable[[Callable[[], None]], None]], None]
"""Serves until told to stop; is given a function that takes the one which tells it."""


def supervise(
    count: int, work: Work, announce: Callable[[], None], stop_listening: Callable[[], None], graceful_timeout: float
) -> None:
    """Keep `count` processes at `work` until a signal; return once all have ended.

    `announce` is called once signals are minded; `stop_listening` closes the master's share of the sockets. The first
    signal lets each worker finish within `graceful_timeout` seconds, SIGQUIT or a second one drops what is in flight.
    """
    default = signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, no child would ever be reported
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _MINDED)
    master = _Master(count, work, before, graceful_timeout)
    try:
        announce()
        master.run(stop_listening)
    finally:
        master.end_all(signal.SIGKILL)  # none is left, unless this master failed
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGCHLD, default)


class _Master:
    def __init__(self, count: int, work: Work, mask: set[int | signal.Signals], graceful_timeout: float) -> None:
        self._work = work
        self._mask = mask
        self._graceful_timeout = graceful_timeout
        self._started: dict[int, float] = {}
        """Workers that have not been reaped, thus whose number is still theirs, and when each was born."""
        self._due = [0.0] * count
        """When a worker that is missing is to be started."""
        self._killing = math.inf
        """When whoever is left is killed; infinity until we are to stop. Monotonic seconds, all of these."""
        self._alive, self._held = os.pipe2(os.O_CLOEXEC)
        """Workers read from the one end; it ends when the master does, who alone holds the other."""

    def run(self, stop_listening: Callable[[], None]) -> None:
        """Supervise until told to stop and all have ended."""
        stopping = False
        while self._started or not stopping:
            now = time.monotonic()
            if not stopping:
                self._start_due(now)
            elif now >= self._killing:
                self._killing = math.inf
                self.end_all(signal.SIGKILL)
            due = min([self._killing, *([] if stopping else self._due)], default=math.inf)
            received = signal.sigtimedwait(_MINDED, min(max(due - now, 0), 3600))
            if received is None:
                continue
            if received.si_signo == signal.SIGCHLD:
                self._reap(stopping)
                continue
            at_once = stopping or received.si_signo == signal.SIGQUIT
            stopping = True
            stop_listening()
            self.end_all(signal.SIGQUIT if at_once else signal.SIGTERM)
            self._killing = time.monotonic() + _GRACE + (0 if at_once else self._graceful_timeout)

    def end_all(self, number: signal.Signals) -> None:
        """Send a signal to each worker that is left."""
        for pid in self._started:
            os.kill(pid, number)

    def _start_due(self, now: float) -> None:
        for when in [when for when in self._due if when <= now]:
            self._due.remove(when)
            try:
                pid = os.fork()
            except OSError as error:
                log.error("cannot start a worker: %s", error.strerror)
                self._due.append(now + _YOUNG)
                continue
            if pid == 0:
                self._be_worker()
            self._started[pid] = now

    def _be_worker(self) -> NoReturn:
        status = 1
        try:
            os.close(self._held)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the master, who passes it on
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
            self._work(self._when_orphaned)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)  # nothing of the master's is cleaned up twice

    def _when_orphaned(self, stop: Callable[[], None]) -> None:
        """Call `stop` when the master is no more."""

        def watch() -> None:
            os.read(self._alive, 1)
            stop()

        threading.Thread(target=watch, name="wsgiraw-orphan", daemon=True).start()

    def _reap(self, stopping: bool) -> None:
        """Take note of workers that have ended. Other children are left to whoever started them."""
        for pid in tuple(self._started):
            try:
                ended, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                ended, status = pid, 0
            if not ended:
                continue
            born = self._started.pop(pid)
            if not stopping:
                log.error("worker %d ended (%s): it is replaced", pid, _manner(status))
                self._due.append(born + _YOUNG)


def _manner(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal has no name
        return f"signal {-code}"

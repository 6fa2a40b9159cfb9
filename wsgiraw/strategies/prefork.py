"""N processes, each with a strategy of its own over the same listening sockets: a master that forks and never serves.

The master waits in `sigtimedwait` with the signals it minds blocked, so none is lost and no handler runs. It replaces a
worker that dies; one that died young is replaced after a pause, so that a fault at start does not spin.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable

from wsgiraw.observe import log

__all__ = ["supervise"]

_MINDED = (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM)

_YOUNG = 1.0
"""A worker that lives for less is replaced only this long after its start, seconds."""


def supervise(
    count: int, work: Callable[[], None], announce: Callable[[], None], stop_listening: Callable[[], None]
) -> None:
    """Keep `count` processes at `work` until SIGINT or SIGTERM, which each of them gets; return once all have ended.

    `work` runs in a forked process with the signals' default actions and ends it by returning. `announce` is called
    once signals are minded; `stop_listening` closes the master's share of the sockets.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _MINDED)
    started: dict[int, float] = {}
    try:
        announce()
        due = [0.0] * count
        stopping = False
        while started or not stopping:
            now = time.monotonic()
            if not stopping:
                for when in [when for when in due if when <= now]:
                    due.remove(when)
                    started[_fork(work, before)] = now
            patience = max(min(due) - now, 0) if due and not stopping else 3600.0
            received = signal.sigtimedwait(_MINDED, patience)
            if received is None:
                continue
            if received.si_signo == signal.SIGCHLD:
                for pid, status in _reap(started):
                    born = started.pop(pid)
                    if not stopping:
                        log.error("worker %d ended (%s): it is replaced", pid, _manner(status))
                        due.append(born + _YOUNG)
                continue
            if not stopping:
                stopping = True
                stop_listening()
            for pid in started:  # not reaped yet, so the number is still theirs
                os.kill(pid, signal.SIGTERM)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _fork(work: Callable[[], None], mask: set[int | signal.Signals]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)  # nothing of the master's is cleaned up twice


def _reap(started: dict[int, float]) -> list[tuple[int, int]]:
    """Return (process, status) of each worker that has ended. Other children are left to whoever started them."""
    ended = ((pid, os.waitpid(pid, os.WNOHANG)) for pid in tuple(started))
    return [(pid, status) for pid, (reaped, status) in ended if reaped]


def _manner(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

"""What processes use: CPU time to the microsecond, memory, and the most memory meanwhile. Linux only: /proc has it.

It finds no processes and starts nothing.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from wsgiraw.errors import ConfigError

__all__ = ["PeakPss", "cpu_seconds", "pss"]

_PROC = Path("/proc")
_CLOCK_OF_A_PROCESS = 2
"""CPUCLOCK_SCHED, of the clock ids that clock_getcpuclockid(3) makes of a process id: nanoseconds, all its threads."""


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU time, user and system, that processes have used so far, with that of children they have reaped.

    Their own is exact where /proc/PID/stat counts hundredths of a second; children that have ended have only those
    hundredths. What ended without being reaped by one of them is not counted. Raises ConfigError without /proc.
    """
    _refuse_without_proc()
    return sum(_own(pid) + _reaped(pid) for pid in pids)


def pss(pids: Iterable[int]) -> int:
    """Return the memory of processes in bytes: what several share counts once in all. Raises ConfigError without /proc.

    Processes that have ended, or are not ours to look at, count nothing.
    """
    _refuse_without_proc()
    return sum(_pss(pid) for pid in pids)


class PeakPss:
    """The most memory that processes have had while it was entered, looked at again and again by a thread.

    Each look walks the page tables of all of them (a millisecond or so), on our core, not theirs.
    """

    def __init__(self, pids: Callable[[], Iterable[int]], every: float = 0.2) -> None:
        self.bytes = 0
        self._pids = pids
        self._every = every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="wsgiraw-peak-pss", daemon=True)

    def __enter__(self) -> "PeakPss":
        self._look()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._over.wait(self._every):
            self._look()

    def _look(self) -> None:
        self.bytes = max(self.bytes, pss(self._pids()))


def _own(pid: int) -> float:
    with suppress(OSError):  # it has ended meanwhile
        return time.clock_gettime_ns(~pid << 3 | _CLOCK_OF_A_PROCESS) / 1e9
    return 0.0


def _reaped(pid: int) -> float:
    with suppress(OSError, ValueError):
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")  # cutime and cstime
    return 0.0


def _pss(pid: int) -> int:
    with suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _refuse_without_proc() -> None:
    if not (_PROC / "self" / "stat").exists():
        raise ConfigError("CPU time and memory of servers are read from /proc, and there is none: compare on Linux")

"""Ends a server that takes more memory than it may, before the kernel ends somebody else. It measures nothing."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from servers import Server

PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
LOOKS = 0.2


def resident_kib(pid: int) -> int:
    """Resident memory of a process, 0 if there is none; it costs some 20 µs, so that it does not disturb a client."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_KIB
    except (OSError, IndexError):
        return 0


@contextmanager
def bounded(server: Server, most_kib: int) -> Iterator[threading.Event]:
    """Kill all processes that the server has now as soon as they take more than this; the event then says so."""
    pids = server.running.pids()
    exceeded, over = threading.Event(), threading.Event()

    def look() -> None:
        while not over.wait(LOOKS):
            if sum(map(resident_kib, pids)) > most_kib:
                exceeded.set()
                for pid in pids:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                return

    watchman = threading.Thread(target=look)
    watchman.start()
    try:
        yield exceeded
    finally:
        over.set()
        watchman.join()

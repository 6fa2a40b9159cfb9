"""Signals that end us: SIGTERM unwinds as an interrupt does, and neither comes between us and the end of a server."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["interruptible", "uninterrupted"]


@contextmanager
def interruptible() -> Iterator[None]:
    """Have SIGTERM and SIGHUP raise SystemExit in the main thread, with the exit code that a shell would give."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Keep what would interrupt the main thread until afterwards; for what takes no longer than a few seconds.

    To block the signals would not do: another thread would take them, and still the main thread would be interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # nothing is raised here
        return
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for late in dict.fromkeys(came):
            signal.raise_signal(late)

"""Signals as numbers in a pipe: the interpreter's own handler writes them there, and the master's loop reads them.

So none is slept through and none runs code of ours at a bad moment.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = ["DUMP", "Inbox"]

DUMP = signal.SIGINFO if hasattr(signal, "SIGINFO") else signal.SIGPWR
"""Asks for the stacks of all requests in flight."""

_MINDED = frozenset(
    {
        signal.SIGCHLD,
        signal.SIGHUP,
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGTERM,
        signal.SIGTTIN,
        signal.SIGTTOU,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGWINCH,
        DUMP,
    }
)


def _noted(number: int, frame: FrameType | None) -> None:
    """Do nothing: the number is in the pipe already."""


class Inbox:
    """What has been sent to this process. Belongs to the main thread."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._handlers = {number: signal.signal(number, _noted) for number in _MINDED}
        self._descriptor = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is something."""
        return self._reader

    def read(self) -> Iterator[int]:
        """Yield the signals that have come. Of those that say the same twice, only one."""
        octets = b""
        with suppress(BlockingIOError):
            octets = os.read(self._reader, 65536)
        seen = set()
        for number in octets:
            if number in seen and number in (signal.SIGCHLD, signal.SIGHUP, signal.SIGUSR1):
                continue
            seen.add(number)
            if number in _MINDED:
                yield number

    @contextmanager
    def held_back(self) -> Iterator[set[int | signal.Signals]]:
        """Let signals wait around a fork; yield the mask as it was.

        A forked process shares the pipe: a signal to it, before it has parted from the inbox, would be read as one to
        the master.
        """
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _MINDED)
        try:
            yield mask
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def leave(self) -> None:
        """In a forked process: have nothing to do with the master's signals. They still wait."""
        signal.set_wakeup_fd(-1)
        for number in _MINDED:
            signal.signal(number, signal.SIG_DFL)
        os.close(self._reader)
        os.close(self._writer)

    def close(self) -> None:
        """Handle signals as before."""
        signal.set_wakeup_fd(self._descriptor)
        for number, handler in self._handlers.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        os.close(self._reader)
        os.close(self._writer)

"""What a worker does first and last: it parts from its master's affairs, works, and says why if it cannot."""

import atexit
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NamedTuple, NoReturn

from wsgiraw.errors import ApplicationNotFound, ConfigError
from wsgiraw.strategies.prefork.inbox import DUMP

__all__ = ["FAILED", "Failure", "be_worker", "flush"]

FAILED = "failed "
"""How a worker's last message begins; a `Failure` follows."""

_MOST = 16_000
"""Characters of a traceback that are passed on, the last ones."""


class Failure(NamedTuple):
    """Why a worker could not serve."""

    message: str
    details: str
    """A traceback, or nothing."""
    usage: bool = False
    """The configuration is wrong, rather than the application."""

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """Take what is worth saying from an exception."""
        if isinstance(error, ConfigError):
            notes = "\n".join(getattr(error, "__notes__", ()))
            return cls(str(error), notes[-_MOST:], not isinstance(error, ApplicationNotFound))
        details = "".join(traceback.format_exception(error)).rstrip()[-_MOST:]
        return cls(f"{type(error).__name__}: {error}".partition("\n")[0], details)

    def error(self) -> ConfigError:
        """Return it as the exception that the command line shows."""
        error = (ConfigError if self.usage else ApplicationNotFound)(self.message)
        if self.details:
            error.add_note(self.details)
        return error


def be_worker(
    part: Callable[[], None], mask: set[int | signal.Signals], work: Callable[[], None], tell: Callable[[str], None]
) -> NoReturn:
    """Do the work of a worker in a process that has just been forked with signals blocked, and end it."""
    status = 1
    try:
        atexit._clear()  # what was registered is the master's to do
        part()
        _mind_signals()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        work()
        status = 0
    except BaseException as error:
        with suppress(OSError):
            tell(FAILED + json.dumps(Failure.of(error)))
    finally:
        try:
            atexit._run_exitfuncs()
            flush()
        finally:
            os._exit(status)  # nothing of the master's is cleaned up twice


def _mind_signals() -> None:
    """Do what is right while there is no loop yet. SIGTERM ends the process: nothing is in flight."""

    def ignore(number: int, frame: FrameType | None) -> None:
        """Unlike SIG_IGN this is not passed on to programs that the application runs."""

    def end(number: int, frame: FrameType | None) -> None:
        os._exit(0)

    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, DUMP):
        signal.signal(number, ignore)
    signal.signal(signal.SIGQUIT, end)


def flush() -> None:
    """Write out what is buffered, so that a fork does not double it."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.flush()

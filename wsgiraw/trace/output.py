"""Where a trace goes: a stream to which several threads and processes may write, each event in one piece."""

import fcntl
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

__all__ = ["Output"]


class Output:
    """A stream. What cannot be written is lost: a trace must not cost anybody an answer."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._encoding = stream.encoding or "utf-8"
        self._lock = threading.Lock()
        self._closed = False
        self._descriptor: int | None = None
        self._shared = False
        """It is a pipe, into which other processes may write in the midst of what is long."""
        with suppress(OSError, AttributeError):  # a stream of the program's own need not have a descriptor
            self._descriptor = stream.fileno()
            self._shared = stat.S_ISFIFO(os.fstat(self._descriptor).st_mode)

    def write(self, text: str) -> None:
        """Write whole lines."""
        octets = text.encode(self._encoding, "backslashreplace")
        with self._lock, suppress(OSError, ValueError):
            if self._closed:
                return
            if self._descriptor is None:
                self.stream.write(octets.decode(self._encoding))
            self.stream.flush()  # what the application has printed comes before
            if self._descriptor is not None:
                with self._alone(self._descriptor):
                    while octets:
                        octets = octets[os.write(self._descriptor, octets) :]

    @contextmanager
    def _alone(self, descriptor: int) -> Iterator[None]:
        """Keep the other processes out, as far as the system can."""
        if not self._shared:  # terminals and files take what is written at once in one piece
            yield
            return
        with suppress(OSError):
            fcntl.lockf(descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.lockf(descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Write no more; the stream belongs to whoever has opened it."""
        with self._lock:
            self._closed = True

"""What other threads hand to the one that turns a loop, which may be waiting in a poll just then."""

import os
import threading
from collections.abc import Iterable
from typing import Generic, TypeVar

__all__ = ["Mailbox"]

T = TypeVar("T")


class Mailbox(Generic[T]):
    """A queue with a descriptor that becomes readable for a reader who waits, and only then: most items cost none."""

    def __init__(self) -> None:
        self._items: list[T] = []
        self._awaited = False
        """The reader waits, or is about to, and has found nothing. Guarded by the lock, as the items are."""
        self._closed = False
        self._lock = threading.Lock()
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def put(self, item: T) -> bool:
        """Hand over an item; return False, and keep it, where nobody will read it any more."""
        with self._lock:
            if self._closed:
                return False
            self._items.append(item)
            if self._awaited:
                self._awaited = False
                os.write(self._writer, b"\0")
            return True

    @property
    def filled(self) -> bool:
        """Whether something is here; what has just been put there may not be seen yet, but is by the next `expect`."""
        return bool(self._items)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable."""
        return self._reader

    def expect(self) -> bool:
        """Get ready to wait for `fileno()`; return True where something is here already, so that nobody need wait."""
        with self._lock:
            self._awaited = not self._items
            return bool(self._items)

    def take(self) -> Iterable[T]:
        """Return everything that has been handed over."""
        with self._lock:
            items, self._items = self._items, []
            self._awaited = False
            return items

    def acknowledge(self) -> None:
        """Make `fileno()` unreadable; called once it is readable."""
        os.read(self._reader, 64)

    def close(self) -> Iterable[T]:
        """Accept nothing more; return what has not been read."""
        with self._lock:
            self._closed = True
            os.close(self._reader)
            os.close(self._writer)
            return self._items

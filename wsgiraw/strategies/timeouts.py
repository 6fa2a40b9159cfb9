"""How long a strategy waits for a client in each phase, and the deadlines of many connections without scanning them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["LAST", "Deadlines", "Timeouts"]

LAST = 0.5
"""Seconds in which a silent client may still send a request after we were told to stop: its request may be on its way,
and it cannot know that its connection is about to end."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds."""

    keep_alive: float = 75.0
    """Between a response and the first octet of the next request; 0 closes after each response."""
    handshake: float = 10.0
    """For what comes before HTTP, from accepting the connection."""
    head: float = 20.0
    """From the first octet of a head to its last; and from where HTTP may begin to its first octet."""
    body: float = 30.0
    """In which at least `least_body` octets of a body must arrive, again and again."""
    write: float = 30.0
    """In which the client must take at least `least_write` octets of its response, again and again."""
    rate: int = 0
    """Octets per second."""
    linger: float = 2.0
    """Reading on after we have said the last word, so that the client gets to read it."""

    @property
    def least_body(self) -> float:
        """Octets."""
        return max(self.rate * self.body, 1)

    @property
    def least_write(self) -> float:
        """Octets."""
        return max(self.rate * self.write, 1)


class Deadlines(Generic[T]):
    """What waits for one and the same duration. New entries go last, so the first one is always due first."""

    __slots__ = ("_due", "duration")

    def __init__(self, duration: float) -> None:
        self.duration = duration
        """Seconds."""
        self._due: dict[T, float] = {}

    def start(self, entry: T, now: float) -> float:
        """Let `entry` be due one duration from `now`; return when that is. It must not be waiting here."""
        self._due[entry] = due = now + self.duration
        return due

    def cancel(self, entry: T) -> None:
        """Forget an entry that waits here."""
        del self._due[entry]

    def first(self) -> float:
        """Return when the first entry is due, infinity if there is none."""
        return next(iter(self._due.values()), math.inf)

    def expired(self, now: float) -> Iterator[T]:
        """Yield what is due, still waiting; the caller cancels each."""
        while self._due:
            entry, due = next(iter(self._due.items()))
            if due > now:
                return
            yield entry

    def __contains__(self, entry: object) -> bool:
        return entry in self._due

    def __len__(self) -> int:
        return len(self._due)

    def __iter__(self) -> Iterator[T]:
        """Yield what waits, for longest first."""
        return iter(self._due)

    def __bool__(self) -> bool:
        return bool(self._due)

"""How many clients were parted with, and why: counted where it happens, not on the way of requests that go well."""

import threading
from collections.abc import Iterator, Mapping

__all__ = ["Tally"]

_REASONS = (
    "handshake_timeout",
    "head_timeout",
    "body_timeout",
    "write_timeout",
    "evicted",
    "busy",
    "gone",
)


class Tally(Mapping[str, int]):
    """Counts by reason, from 0.

    `handshake_timeout`, `head_timeout`, `body_timeout`, `write_timeout`: too slow. `evicted`: idle, and closed to make
    room. `busy`: answered with 503. `gone`: had left before its request was begun.
    """

    def __init__(self) -> None:
        self._counts = dict.fromkeys(_REASONS, 0)
        self._lock = threading.Lock()  # threads of `threaded` count, too

    def count(self, reason: str) -> None:
        """One more."""
        with self._lock:
            self._counts[reason] += 1

    def __getitem__(self, reason: str) -> int:
        return self._counts[reason]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def __str__(self) -> str:
        return ", ".join(f"{reason} {count}" for reason, count in self._counts.items())

"""Which calls of the application had better not run on the loop. It remembers and answers, and does nothing itself.

To take the loop from a slow call costs as much as to hand a hundred quick ones to threads. So all calls go to threads
while more than about one in a hundred is slow; and those for a path that is slow again and again always do.
"""

import threading

__all__ = ["Pace"]

_WEIGHT = 100
"""Quick calls that make up for a slow one."""

_SLOW = 1000
"""From here on all calls are taken to be slow: so much worse than one in a hundred have the last ones been."""

_PERIOD = 0.25
"""Seconds after which that is tried anew."""

_SUSPECT, _CERTAIN = 2, 4
"""What a path is charged for a slow call, less one for each quick one; and at most. It is slow above the first."""

_PATHS = 1000
"""Suspects that are remembered."""


class Pace:
    """How quick the application is, as a whole and by path."""

    def __init__(self, limit: float) -> None:
        """A call of more than `limit` seconds is slow."""
        self.memorable = False
        """There is something to be made up for: `note_quick` is to be told of quick calls on the loop."""
        self._limit = limit
        self._debt = 0
        self._slow_until = 0.0
        self._suspects: dict[str, int] = {}
        self._lock = threading.Lock()

    def suits_loop(self, path: str, now: float) -> bool:
        """Whether to run a call on the loop. Only to be asked while `memorable`; if not, every call suits it."""
        return now >= self._slow_until and self._suspects.get(path, 0) <= _SUSPECT

    def note_overrun(self, path: str, now: float) -> None:
        """The loop had to be taken from a call."""
        with self._lock:
            self.memorable = True
            self._debt += _WEIGHT
            if self._debt >= _SLOW:
                self._slow_until = now + _PERIOD
                self._debt = _SLOW - _WEIGHT  # then, one more slow call leaves no doubt
            self._charge(path, _SUSPECT)

    def note_quick(self, path: str) -> None:
        """A call on the loop was quick."""
        with self._lock:
            self._debt = max(self._debt - 1, 0)
            self._charge(path, -1)

    def note(self, path: str, seconds: float) -> None:
        """A call on a thread took so long; waiting for the interpreter is part of it."""
        with self._lock:
            self._charge(path, _SUSPECT if seconds > self._limit else -1)

    def _charge(self, path: str, charge: int) -> None:
        """Change what a path is charged with."""
        charged = min(self._suspects.get(path, 0) + charge, _CERTAIN)
        if charged <= 0:
            self._suspects.pop(path, None)
        elif charge < 0 or path in self._suspects or len(self._suspects) < _PATHS:
            self._suspects[path] = charged
        self.memorable = bool(self._debt or self._suspects)

"""The memory in which each worker shows its pulse, mapped by the master before it forks: no file, no system call.

Row 0 is the master's; its first number is how many rows have ever been in use. Row N is that of worker N: only it
writes there while it lives, and the master before and after.
"""

import mmap
from collections.abc import MutableSequence
from typing import cast

from wsgiraw.strategies.pulse import CELLS, ROOM

__all__ = ["SharedPulses"]

_ROWS = 8192
"""Workers that can exist at a time, those that are on their way out included; pages that are not used cost nothing."""


class SharedPulses:
    """Rows of numbers that all processes of a master see."""

    def __init__(self) -> None:
        self._numbers = memoryview(mmap.mmap(-1, _ROWS * CELLS * 8)).cast("Q")
        self._taken = {0}

    def take(self) -> int:
        """Return the least number that no worker has. Raises `OSError` when there is none."""
        number = next((number for number in range(1, _ROWS) if number not in self._taken), None)
        if number is None:
            raise OSError(0, "too many workers are on their way out")
        self._taken.add(number)
        self._numbers[0] = max(self._numbers[0], number)
        return number

    def give_back(self, number: int) -> None:
        """Wipe a row whose worker has ended: it has no room any more."""
        for cell in range(number * CELLS, (number + 1) * CELLS):
            self._numbers[cell] = 0
        self._taken.discard(number)

    def row(self, number: int) -> MutableSequence[int]:
        """Return the numbers of a worker, as `Pulse` wants them."""
        return cast("MutableSequence[int]", self._numbers[number * CELLS : (number + 1) * CELLS])

    def others_have_room(self, number: int) -> bool:
        """Whether a worker other than this one could run a request at once."""
        numbers = self._numbers
        return any(numbers[row * CELLS + ROOM] for row in range(1, numbers[0] + 1) if row != number)

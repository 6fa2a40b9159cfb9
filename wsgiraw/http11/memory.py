"""Memory that the bodies of all connections share, so that many of them together take no more than is allowed."""

from io import BytesIO
from queue import Empty, SimpleQueue

__all__ = ["FREE", "BodyMemory", "HeldBody"]

FREE = 8 * 1024
"""Octets of a body that are not counted: most have no more."""

_STEP = 64 * 1024


class BodyMemory:
    """What is left of it, in steps. Any thread takes and gives back, the latter wherever a body is collected."""

    def __init__(self, size: int) -> None:
        """`size` in bytes."""
        self._steps = SimpleQueue[None]()  # a list would do with a GIL; a lock would be held by interrupted threads
        self.give_back(size)

    def take(self) -> int:
        """Return how many more octets may be held, 0 where none are left."""
        try:
            self._steps.get_nowait()
        except Empty:
            return 0
        return _STEP

    def give_back(self, octets: int) -> None:
        """Hold them no longer."""
        for _ in range(octets // _STEP):
            self._steps.put(None)


class HeldBody(BytesIO):
    """A body that is held in shared memory until it is closed, or nobody has it any more."""

    def __init__(self, memory: BodyMemory) -> None:
        super().__init__()
        self._shared = memory
        self._taken = 0

    def take(self) -> int:
        """Take more of the memory; return how much this body may have now, or 0 where there is no more."""
        taken = self._shared.take()
        self._taken += taken
        return self._taken if taken else 0

    def close(self) -> None:
        """Give the memory back. Raises `BufferError` where somebody else still looks into it."""
        super().close()
        taken, self._taken = self._taken, 0
        if taken:
            self._shared.give_back(taken)

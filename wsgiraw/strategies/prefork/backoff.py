"""How long to wait before a worker is started in place of one that ended young: 1 s, doubling to 30 s.

Numbers alone; times are monotonic seconds.
"""

__all__ = ["YOUNG", "Backoff"]

YOUNG = 1.0
"""A worker that ends before it is ready, or within so many seconds of it, has crashed at start."""

_FIRST, _LONGEST = 1.0, 30.0


class Backoff:
    """The pause between crashes at start."""

    def __init__(self) -> None:
        self.until = 0.0
        """Nobody is started before."""
        self._pause = 0.0
        self._since = 0.0

    def crashed(self, now: float, oldest_replacement: float | None) -> float:
        """Take note of a worker that ended young; return the pause.

        `oldest_replacement` is when the oldest worker became ready that was started after the last crash: if it has
        lived for longer than the pause, the fault is a new one.
        """
        if oldest_replacement is not None and now - oldest_replacement > self._pause:
            self._pause = 0.0
        self._pause = min(max(self._pause * 2, _FIRST), _LONGEST)
        self._since, self.until = now, now + self._pause
        return self._pause

    @property
    def since(self) -> float:
        """When the last such worker ended."""
        return self._since

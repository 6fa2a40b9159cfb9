"""Waking a thread that waits, as often as one likes: a ring is remembered until it is heard, and two count as one."""

import threading

__all__ = ["Bell"]


class Bell:
    """For one thread that waits, and any that ring."""

    def __init__(self) -> None:
        self._rung = threading.Lock()
        """Free once it has been rung; whoever waits takes it."""
        self._rung.acquire()
        self._ringing = threading.Lock()

    def ring(self) -> None:
        """End the wait that goes on, or else the next one."""
        with self._ringing:
            if self._rung.locked():
                self._rung.release()

    def wait(self, timeout: float = -1) -> bool:
        """Wait for a ring, at most `timeout` seconds unless negative; return whether there was one."""
        return self._rung.acquire(timeout=timeout)

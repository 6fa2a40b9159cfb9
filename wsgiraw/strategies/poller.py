"""Readiness of many descriptors: epoll where there is one, else what `selectors` finds best (kqueue).

epoll is used as it is: `selectors` costs a key object and a look-up per event.
"""

import select
import selectors
from typing import Protocol

__all__ = ["EXCLUSIVE", "HUNG_UP", "READ", "WRITE", "Poller", "SelectorPoller", "new_poller"]

READ = select.POLLIN
WRITE = select.POLLOUT
"""The same numbers as EPOLLIN and EPOLLOUT (epoll_ctl(2))."""
HUNG_UP = select.POLLHUP | select.POLLERR
"""Reported, asked for or not, of connections that have been reset or ended on both sides."""
EXCLUSIVE = getattr(select, "EPOLLEXCLUSIVE", 0)
"""Given with READ at `register`: of several processes that wait for the same listener, not all are woken at once."""


class Poller(Protocol):
    """What a loop needs of epoll; its methods are epoll's. Level-triggered."""

    def register(self, fd: int, eventmask: int) -> None: ...
    def modify(self, fd: int, eventmask: int) -> None: ...
    def unregister(self, fd: int) -> None: ...
    def poll(self, timeout: float | None = None, maxevents: int = -1) -> list[tuple[int, int]]: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...


class SelectorPoller:
    """`Poller` over a selector of the standard library."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def register(self, fd: int, eventmask: int) -> None:
        """Watch a descriptor."""
        self._selector.register(fd, _selector_events(eventmask))

    def modify(self, fd: int, eventmask: int) -> None:
        """Watch it for something else."""
        self._selector.modify(fd, _selector_events(eventmask))

    def unregister(self, fd: int) -> None:
        """Watch it no longer."""
        self._selector.unregister(fd)

    def poll(self, timeout: float | None = None, maxevents: int = -1) -> list[tuple[int, int]]:
        """Wait up to `timeout` seconds, None for ever; return (descriptor, events). `maxevents` is epoll's alone."""
        ready = self._selector.select(timeout)
        return [(key.fd, READ if events & selectors.EVENT_READ else WRITE) for key, events in ready]

    def fileno(self) -> int:
        """Return a descriptor that is readable while any of those watched is ready, for use in another poller."""
        number: int = self._selector.fileno()  # those that wait in the kernel have one
        return number

    def close(self) -> None:
        """Give the descriptor back."""
        self._selector.close()


def _selector_events(eventmask: int) -> int:
    return selectors.EVENT_WRITE if eventmask == WRITE else selectors.EVENT_READ


def new_poller() -> Poller:
    """Return the fastest poller that this system has."""
    return select.epoll() if hasattr(select, "epoll") else SelectorPoller()

"""Whether a client is still there, seen without reading from its connection. Any thread may ask, at any time."""

import select

from wsgiraw.net import Socket

__all__ = ["has_gone", "has_left", "is_silent"]

_LEFT = getattr(select, "POLLRDHUP", 0)
"""The client has closed its sending side, or all of it: the kernel does not tell one from the other (poll(2))."""

_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL


def has_gone(connection: Socket) -> bool:
    """Whether a connection has been reset, or ended on both sides: nobody can read an answer."""
    return bool(_events(connection, 0) & _GONE)


def has_left(connection: Socket) -> bool:
    """Whether a client has closed its side. It may still read, but most that have closed do not."""
    return bool(_events(connection, _LEFT) & (_GONE | _LEFT))


def is_silent(connection: Socket) -> bool:
    """Whether nothing has come from a client that has not been read, its end included."""
    return not _events(connection, select.POLLIN)


def _events(connection: Socket, mask: int) -> int:
    descriptor = connection.fileno()
    if descriptor < 0:
        return _GONE  # we have closed it
    poll = select.poll()
    poll.register(descriptor, mask)
    return next((events for _, events in poll.poll(0)), 0)

"""Which client has how long for what: the deadlines of all channels of an event loop, and the next one of them."""

import math
from collections.abc import Iterator
from itertools import chain

from wsgiraw.strategies.channel import Channel
from wsgiraw.strategies.progress import kept
from wsgiraw.strategies.timeouts import LAST, Deadlines, Timeouts

__all__ = ["Agenda"]


class Agenda:
    """One ordered dict per duration, no scans. A channel waits in one of them at a time, or in none."""

    def __init__(self, timeouts: Timeouts, queue_timeout: float) -> None:
        self._least_body, self._least_write = timeouts.least_body, timeouts.least_write
        self.opening = Deadlines[Channel](timeouts.handshake)
        """For all that comes before HTTP."""
        self.idle = Deadlines[Channel](timeouts.keep_alive)
        """For the first octet of a next request."""
        self.fresh = Deadlines[Channel](timeouts.head)
        """For the first octet at all."""
        self.head = Deadlines[Channel](timeouts.head)
        """For the rest of a head."""
        self.body = Deadlines[Channel](timeouts.body)
        """For enough of a body."""
        self.last = Deadlines[Channel](LAST)
        """For the first octet of a last request, once we are to stop."""
        self.write = Deadlines[Channel](timeouts.write)
        """For the client to take enough."""
        self.linger = Deadlines[Channel](timeouts.linger)
        """For the client to close."""
        self.queued = Deadlines[Channel](queue_timeout)
        """For a thread to answer."""
        self.next_due = math.inf
        """When a deadline may be due, monotonic seconds; never later than the first of them."""

    def start(self, channel: Channel, deadlines: Deadlines[Channel], now: float) -> None:
        """Give the channel a new deadline in place of the one it has."""
        if channel.deadlines is not None:
            channel.deadlines.cancel(channel)
        channel.deadlines = deadlines
        due = deadlines.start(channel, now)
        if due < self.next_due:
            self.next_due = due

    def stop(self, channel: Channel) -> None:
        """Forget the channel's deadline."""
        if channel.deadlines is not None:
            channel.deadlines.cancel(channel)
            channel.deadlines = None

    def silent(self, now: float) -> Iterator[Channel]:
        """Yield whose time is up and who has asked nothing that is still to be answered."""
        for deadlines in (self.idle, self.fresh, self.last, self.linger):
            yield from deadlines.expired(now)

    def expect_body(self, channel: Channel, now: float) -> None:
        """Expect enough of a body from now on."""
        channel.mark = channel.connection.body_octets
        self.start(channel, self.body, now)

    def slow_bodies(self, now: float) -> Iterator[Channel]:
        """Yield those whose time is up and of whose bodies too little has arrived; the others have as long again."""
        for channel in self.body.expired(now):
            if channel.connection.body_octets - channel.mark >= self._least_body:
                self.expect_body(channel, now)
            else:
                yield channel

    def expect_taking(self, channel: Channel, now: float) -> None:
        """Expect the client to take enough from now on: of what we send, and of what is kept for it."""
        channel.mark = channel.taken - kept(channel.socket)
        self.start(channel, self.write, now)

    def slow_readers(self, now: float) -> Iterator[Channel]:
        """Yield those whose time is up and who have taken too little; the others have as long again."""
        for channel in self.write.expired(now):
            if channel.taken - kept(channel.socket) - channel.mark >= self._least_write:
                self.expect_taking(channel, now)
            else:
                yield channel

    def waits_for_request(self, channel: Channel) -> bool:
        """Whether not an octet of a request is here."""
        return channel.deadlines in (self.idle, self.fresh)

    def look_ahead(self, *others: float) -> None:
        """Find out what is due next, of these and `others` (monotonic seconds)."""
        own = (
            self.opening,
            self.idle,
            self.fresh,
            self.last,
            self.head,
            self.body,
            self.write,
            self.linger,
            self.queued,
        )
        self.next_due = min(*others, *(deadlines.first() for deadlines in own))

    def idlest(self) -> Iterator[Channel]:
        """Yield who has asked nothing, for longest first, and first of those that have been answered before."""
        return chain(self.idle, self.fresh, self.opening)

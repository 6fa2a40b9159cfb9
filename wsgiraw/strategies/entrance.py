"""How connections come into a loop: accepted while there is room, the idle ones closed to make some, then opened.

What comes before HTTP, a PROXY header and a TLS handshake, is done here as far as no waiting is needed for it.
"""

from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING

from wsgiraw.errors import HTTPError
from wsgiraw.net import NotTLS, ProxyProtocolError
from wsgiraw.observe import log
from wsgiraw.strategies.acceptor import Acceptor
from wsgiraw.strategies.agenda import Agenda
from wsgiraw.strategies.channel import Channel
from wsgiraw.strategies.poller import READ, WRITE, Poller
from wsgiraw.strategies.presence import is_silent
from wsgiraw.strategies.service import Newcomer, Service, opened

if TYPE_CHECKING:
    from wsgiraw.strategies.loop import EventLoop

__all__ = ["Entrance"]

_LOOK_AT = 16
"""Idle clients, of which one that has not just said something is parted with."""


class Entrance:
    """The listeners of a loop, and its channels until HTTP may begin on them. Used by whoever turns the loop."""

    def __init__(
        self, loop: "EventLoop", service: Service, poller: Poller, channels: dict[int, Channel], agenda: Agenda
    ) -> None:
        self._loop = loop
        self._gateway = service.gateway
        self._new_connection = service.new_connection
        self._tally = service.tally
        self._most = service.capacity.connections
        self._poller = poller
        self._channels = channels
        self._agenda = agenda
        self._acceptor = Acceptor(service, poller, self._is_full, self._make_room)

    def __contains__(self, descriptor: int) -> bool:
        return descriptor in self._acceptor

    def accept(self, descriptor: int, now: float, *, give_way: bool) -> None:
        """Let in some of those who wait at a listener, unless they are to be left to other processes."""
        acceptor = self._acceptor
        if give_way:
            acceptor.give_way(descriptor, now)
        else:
            for newcomer in acceptor.accept(descriptor, now):
                self._admit(newcomer)
        self._agenda.next_due = min(self._agenda.next_due, acceptor.next_due())

    def drain(self, now: float) -> None:
        """Let in all who are queued, and listen no longer."""
        for newcomer in self._acceptor.drain(now):
            self._admit(newcomer)

    def resume(self, now: float) -> float:
        """Accept again where there was a pause; return when that is to be asked again, monotonic seconds."""
        self._acceptor.resume(now)
        return self._acceptor.next_due()

    def channel_closed(self) -> None:
        """There is room for one more."""
        self._acceptor.descriptor_freed()

    def thread_freed(self) -> None:
        """A thread of this process has time again."""
        self._acceptor.thread_freed()

    def _is_full(self) -> bool:
        return len(self._channels) >= self._most

    def _make_room(self) -> bool:
        """Part with who has been idle for longest; return whether there is somebody."""
        for channel in islice(self._agenda.idlest(), _LOOK_AT):
            if is_silent(channel.socket):
                self._tally.count("evicted")
                self._loop.drop(channel)
                return True
        return False

    def _admit(self, newcomer: Newcomer) -> None:
        sock, environ, opening = newcomer
        channel = Channel(sock, self._new_connection(self._gateway, environ), environ, self._loop.receive)
        self._channels[channel.descriptor] = channel
        self._poller.register(channel.descriptor, READ)
        if opening is None:
            self._loop.time(channel, self._agenda.fresh)
        else:
            channel.opening = opening
            channel.on_ready = self._open
            self._loop.time(channel, self._agenda.opening)

    def _open(self, channel: Channel) -> bool:
        """Go on with what comes before HTTP; then HTTP may have begun already."""
        opening = channel.opening
        assert opening is not None
        try:
            complete = opening.advance()
            channel.socket = opening.socket
            if not complete:
                self._loop.watch(channel, WRITE if opening.wants_room else READ)
                return False
            opened(opening, channel.environ)
        except NotTLS:
            channel.opening = None
            self._loop.refuse(channel, HTTPError(HTTPStatus.BAD_REQUEST, "this port speaks TLS: ask for https://"))
            return False
        except (ProxyProtocolError, OSError) as error:
            log.debug("%s: %s", channel.environ["REMOTE_ADDR"], error)
            self._loop.drop(channel)
            return False
        channel.opening = None
        return self._loop.begin(channel, opening.received)

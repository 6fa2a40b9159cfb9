"""One thread, no socket blocks, the application runs inline: bjoern's shape.

A slow application stops everybody; a slow client stops nobody. Readiness is level-triggered: what is not dealt with now
is reported again. A channel waits for one thing at a time, input or room for output, and for one timeout.
"""

import math
from collections.abc import Sequence
from http import HTTPStatus
from socket import SHUT_WR, socket

from wsgiraw.errors import ApplicationError, ClientDisconnected, HTTPError
from wsgiraw.http11 import Connection, State
from wsgiraw.http11.response import CONTINUE
from wsgiraw.net import Listener, abort
from wsgiraw.strategies.acceptor import Acceptor
from wsgiraw.strategies.agenda import Agenda
from wsgiraw.strategies.channel import Channel
from wsgiraw.strategies.poller import READ, WRITE, new_poller
from wsgiraw.strategies.stop import Stop
from wsgiraw.strategies.timeouts import Deadlines, Timeouts
from wsgiraw.wsgi import Gateway, open_spool_file

__all__ = ["EventLoop", "serve"]

IDLE = State.IDLE  # looked up at each request

_RECEIVE = 64 * 1024
"""Octets asked of a socket at once."""

_TURN = 32
"""Pieces or pipelined responses of one client before the others get their turn."""


def serve(listeners: Sequence[Listener], gateway: Gateway, timeouts: Timeouts, stop: Stop) -> None:
    """Serve until `stop`; return once what was in flight is done or its time is up."""
    loop = EventLoop(listeners, gateway, timeouts, stop)
    try:
        loop.run()
    finally:
        loop.close()


class EventLoop:
    """The loop and its channels. Used by one thread."""

    def __init__(self, listeners: Sequence[Listener], gateway: Gateway, timeouts: Timeouts, stop: Stop) -> None:
        self._gateway = gateway
        self._clock = gateway.clock
        self._stop = stop
        self._keeps_alive = timeouts.keep_alive > 0
        self._lingers = timeouts.linger > 0
        self._poller = new_poller()
        self._channels: dict[int, Channel] = {}
        self._acceptor = Acceptor(listeners, self._poller)
        self._agenda = Agenda(timeouts)
        self._draining = False
        self._poller.register(stop.fileno(), READ)

    def run(self) -> None:
        """Turn until stopped and drained."""
        channels = self._channels
        agenda = self._agenda
        poll = self._poller.poll
        while True:
            events = poll(None if agenda.next_due == math.inf else max(agenda.next_due - self._clock.now, 0))
            now = self._clock.update()
            for descriptor, _ in events:
                channel = channels.get(descriptor)
                if channel is not None:
                    channel.on_ready(channel)
                elif descriptor in self._acceptor:
                    self._accept(descriptor)
                elif descriptor == self._stop.fileno():
                    self._drain()
            if now >= agenda.next_due:
                # By the clock as it was when poll returned: whoever had sent something by then has been heard.
                self._expire(now)
            if self._draining and (not channels or now >= self._stop.deadline):
                return

    def close(self) -> None:
        """Drop what is left; a response that breaks off must not look whole."""
        for channel in list(self._channels.values()):
            self._abort(channel) if channel.deadlines is self._agenda.write else self._drop(channel)
        self._poller.close()

    # Time

    def _time(self, channel: Channel, deadlines: Deadlines[Channel]) -> None:
        """Give the channel a new deadline, from now: the application may have taken its time since poll returned."""
        self._agenda.start(channel, deadlines, self._clock.update())

    def _expire(self, now: float) -> None:
        """Part with those whose time is up, and find out who is next."""
        agenda = self._agenda
        for channel in agenda.silent(now):
            self._drop(channel)
        for channel in agenda.head.expired(now):
            self._refuse(channel, HTTPError(HTTPStatus.REQUEST_TIMEOUT, "the request head took too long"))
        for channel in agenda.body.expired(now):
            self._refuse(channel, HTTPError(HTTPStatus.REQUEST_TIMEOUT, "the request body took too long"))
        for channel in agenda.write.expired(now):
            self._abort(channel)
        self._acceptor.resume(now)
        agenda.look_ahead(self._acceptor.next_due(), self._stop.deadline)

    # Accepting

    def _accept(self, descriptor: int) -> None:
        for accepted in self._acceptor.accept(descriptor, self._clock.now):
            self._admit(*accepted)
        self._agenda.next_due = min(self._agenda.next_due, self._acceptor.next_due())

    def _admit(self, listener: Listener, sock: socket, address: str, port: str) -> None:
        server = (listener.server_name, listener.server_port)
        environ = self._gateway.connection_environ(server, (address, port))
        channel = Channel(sock, Connection(self._gateway.limits, open_spool_file), environ, self._receive)
        self._channels[channel.descriptor] = channel
        self._poller.register(channel.descriptor, READ)
        self._time(channel, self._agenda.fresh)

    # Receiving

    def _receive(self, channel: Channel) -> None:
        try:
            data = channel.socket.recv(_RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            self._drop(channel)
            return
        channel.connection.receive(data)
        self._advance(channel)

    def _discard(self, channel: Channel) -> None:
        """Read on after the last word, so that the client gets to read it (RFC 9112 §9.6)."""
        try:
            if channel.socket.recv(_RECEIVE):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._drop(channel)

    # Responding

    def _advance(self, channel: Channel) -> None:
        """Answer requests until more input, or more room for output, must come first."""
        try:
            self._respond(channel)
        except HTTPError as error:
            self._refuse(channel, error)
        except ApplicationError:
            self._abort(channel)
        except (ClientDisconnected, OSError):
            self._drop(channel)

    def _respond(self, channel: Channel) -> None:
        connection = channel.connection
        turn = _TURN
        while True:
            response = channel.response
            if response is None:
                request = connection.next_request()
                if request is None:
                    self._await_input(channel)
                    return
                if channel.deadlines is self._agenda.head:  # this head is complete: the next has a span of its own
                    self._agenda.stop(channel)
                channel.lingers = request.keep_alive or connection.has_input
                if self._draining or not self._keeps_alive:
                    request.keep_alive = False
                channel.request = request
                response = channel.response = self._gateway.respond(request, channel.environ, channel.write_now)
            else:
                request = channel.request
                assert request is not None
            for octets in response:
                if request.answered and connection.has_input and request.keep_alive and type(octets) is bytes:
                    channel.gathered.append(octets)
                else:
                    channel.send(octets)
                turn -= 1
                if channel.unsent is not None or turn <= 0:
                    self._await_room(channel)
                    return
            channel.response = None

    def _await_input(self, channel: Channel) -> None:
        """Nothing can be answered before more octets arrive, or none will."""
        connection = channel.connection
        state = connection.state
        if state is IDLE and channel.interest == READ and not channel.gathered and not self._draining:
            channel.request = None
            self._time(channel, self._agenda.idle)
            return
        if connection.takes_continue():
            channel.send(CONTINUE)
        elif channel.gathered:
            channel.flush()
        if channel.unsent is not None or channel.gathered:
            self._await_room(channel)
        elif state is State.CLOSED or (self._draining and state is IDLE):
            self._say_goodbye(channel)
        else:
            self._await_more(channel, state)

    def _await_more(self, channel: Channel, state: State) -> None:
        if state is IDLE:
            self._time(channel, self._agenda.idle)
        elif state is State.BODY:
            self._time(channel, self._agenda.body)
        elif channel.deadlines is not self._agenda.head:  # one span for the whole head, however it is dripped
            self._time(channel, self._agenda.head)
        self._watch(channel, READ)
        channel.on_ready = self._receive

    def _await_room(self, channel: Channel) -> None:
        """Nothing more can be sent, or others are to have their turn."""
        self._time(channel, self._agenda.write)
        self._watch(channel, WRITE)
        channel.on_ready = self._continue

    def _continue(self, channel: Channel) -> None:
        try:
            if not channel.flush():
                self._time(channel, self._agenda.write)
                return
        except ApplicationError:
            self._abort(channel)
            return
        except OSError:
            self._drop(channel)
            return
        if channel.connection.state is State.CLOSED and channel.response is None:
            self._say_goodbye(channel)
        else:
            self._advance(channel)

    def _watch(self, channel: Channel, interest: int) -> None:
        if channel.interest != interest:
            channel.interest = interest
            self._poller.modify(channel.descriptor, interest)

    # Parting

    def _refuse(self, channel: Channel, error: HTTPError) -> None:
        """Answer what the client did wrong, and part."""
        channel.connection.close()
        channel.lingers = True
        reply = self._gateway.reject(error, channel.environ)
        try:
            channel.send(reply)
        except OSError:
            self._drop(channel)
            return
        if channel.unsent is not None or channel.gathered:
            self._await_room(channel)
        else:
            self._say_goodbye(channel)

    def _say_goodbye(self, channel: Channel) -> None:
        """Close after the last word: at once where the client expects it, else once it has read it."""
        if not (self._lingers and channel.lingers) or channel.connection.ended:
            self._drop(channel)
            return
        try:
            channel.socket.shutdown(SHUT_WR)
        except OSError:
            self._drop(channel)
            return
        self._time(channel, self._agenda.linger)
        self._watch(channel, READ)
        channel.on_ready = self._discard

    def _abort(self, channel: Channel) -> None:
        """Part so that the client can tell that something is missing."""
        self._forget(channel)
        channel.close(abort)

    def _drop(self, channel: Channel) -> None:
        """Part without a word."""
        self._forget(channel)
        channel.close(socket.close)

    def _forget(self, channel: Channel) -> None:
        del self._channels[channel.descriptor]
        self._poller.unregister(channel.descriptor)  # closing alone does not, where a forked child has the socket too
        self._acceptor.descriptor_freed()

    def _drain(self) -> None:
        """Take what the kernel has queued, stop listening, and end each connection with the request it is at."""
        self._stop.acknowledge()
        if not self._stop.requested:
            return  # a signal that means something else
        agenda = self._agenda
        agenda.next_due = min(agenda.next_due, self._stop.deadline)
        if self._draining:
            return
        for accepted in self._acceptor.drain(self._clock.now):
            self._admit(*accepted)
        self._draining = True
        for channel in list(self._channels.values()):
            if agenda.waits_for_request(channel):
                self._receive(channel)  # a request that has arrived is answered
                if agenda.waits_for_request(channel):
                    self._drop(channel)

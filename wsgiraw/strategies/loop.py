"""The loop of `eventloop`, `pooled` and `handoff`: connections that wait, and what each of them waits for.

No socket blocks, and a slow client stops nobody. Readiness is level-triggered: what is not dealt with now is reported
again. A channel waits for one thing at a time, input or room for output, and for one timeout; or it is *away*, with a
thread that answers it, and the loop leaves it alone.

Whoever runs the application for the loop is its `Runner`. One may take the loop from the thread that turns it: `answer`
then returns true, and so does everything up to `run`, without touching the loop again.
"""

import math
from collections import deque
from collections.abc import Iterable
from http import HTTPStatus
from socket import SHUT_WR

from wsgiraw.errors import ApplicationError, HTTPError
from wsgiraw.http11 import State
from wsgiraw.net import abort, cut, leave
from wsgiraw.strategies.agenda import Agenda
from wsgiraw.strategies.channel import Channel, Next
from wsgiraw.strategies.entrance import Entrance
from wsgiraw.strategies.exchange import refuse, refuse_busy, starved
from wsgiraw.strategies.mailbox import Mailbox
from wsgiraw.strategies.poller import HUNG_UP, READ, WRITE, new_poller
from wsgiraw.strategies.presence import has_gone
from wsgiraw.strategies.pulse import ROOM, TURNS, WAITING
from wsgiraw.strategies.runner import Returned, Runner
from wsgiraw.strategies.service import Service
from wsgiraw.strategies.timeouts import Deadlines

__all__ = ["EventLoop"]

IDLE, INPUT = State.IDLE, Next.INPUT  # looked up at each request

_EVENTS = 256
"""Descriptors that a poll may report at once; the others are reported by the next."""


class EventLoop:
    """The loop and its channels. Used by one thread at a time."""

    def __init__(self, service: Service, runner: Runner) -> None:
        self._runner = runner
        self.gateway = service.gateway
        self.mailbox = Mailbox[Returned]()
        """Where channels that were away come back."""
        self.persists = service.timeouts.keep_alive > 0
        """Connections may live on after a response."""
        self._clock = service.gateway.clock
        self._stop = service.stop
        self._pulse = service.pulse
        self._refuse_newcomers = service.refuse_newcomers
        self._lingers = service.timeouts.linger > 0
        self._tally = service.tally
        self._health_path = service.health_path
        self._most_at_once = service.capacity.concurrency
        self._answer = self._answer_within_limit if self._most_at_once else runner.answer
        self._poller = new_poller()
        self._channels: dict[int, Channel] = {}
        self._away: set[Channel] = set()
        self._ready = deque[Channel]()
        """Channels for the runner although no descriptor says so."""
        self._agenda = Agenda(service.timeouts, service.capacity.queue_timeout)
        self._entrance = Entrance(self, service, self._poller, self._channels, self._agenda)
        self._draining = False
        self._poller.register(self._stop.fileno(), READ)
        self._poller.register(self.mailbox.fileno(), READ)
        service.watch(self)

    def run(self) -> bool:
        """Turn until stopped and drained; return True, sooner, where another thread has taken the loop over."""
        channels = self._channels
        agenda = self._agenda
        poll = self._poller.poll
        cells = self._pulse.cells
        update = self._clock.update
        mailbox, away, ready = self.mailbox, self._away, self._ready
        now = update()
        self._show_room()
        while True:
            while ready:
                if self._runner.answer(ready.popleft()):
                    return True
            if self._draining and self._drained():
                return False
            timeout = agenda.next_due - now
            most = _EVENTS if timeout > 0 else len(channels) + _EVENTS  # all, before anybody's time is up
            if timeout <= 0 or (away and mailbox.expect()):
                timeout = 0
            cells[WAITING] = 1
            events = poll(timeout if timeout < math.inf else None, most)
            cells[WAITING] = 0
            cells[TURNS] += 1
            now = update()
            if mailbox.filled:
                self._take_back()
                if self._runner.relieved():
                    return True
            for descriptor, event in events:
                channel = channels.get(descriptor)
                if channel is not None:
                    if self._leave_lost(channel) if event & HUNG_UP else channel.on_ready(channel):
                        return True
                elif descriptor in self._entrance:
                    self._entrance.accept(descriptor, now, give_way=self._gives_way())
                elif descriptor == self._stop.fileno():
                    self._heed_stop()
                elif descriptor == self.mailbox.fileno():
                    self.mailbox.acknowledge()
            if now >= agenda.next_due and len(events) < most:
                # By the clock as it was when poll returned: whoever had sent something by then has been heard.
                self._expire(now)

    def close(self, unheard: Iterable[Channel] = ()) -> None:
        """Drop what is left; a response that breaks off must not look whole. Nobody will answer the `unheard`."""
        for channel, _ in self.mailbox.close():
            self._away.remove(channel)
        self._away.difference_update(unheard)
        for channel in self._channels.values():
            if channel in self._away:
                cut(channel.socket)  # the thread that is still at it will close it
            else:
                channel.close(abort if channel.response is not None or channel.unsent is not None else leave)
        self._poller.close()

    def _drained(self) -> bool:
        """Whether there is nothing more to be waited for."""
        left = len(self._channels) - sum(channel.lost for channel in self._away)
        return left == 0 or self._clock.now >= self._stop.deadline

    # Channels that are away

    @property
    def away(self) -> int:
        """How many channels are away."""
        return len(self._away)

    def give_away(self, channel: Channel, *, queued: bool = False) -> None:
        """Leave a channel alone until it is in the mailbox, or its time in the queue is up."""
        self._away.add(channel)
        self._show_room()
        channel.on_ready = self._mute
        if queued:
            self.time(channel, self._agenda.queued)
        else:
            self._agenda.stop(channel)

    def _mute(self, channel: Channel) -> None:
        """Stop watching: what arrives now is for later. Most channels come back without having said anything."""
        self.watch(channel, 0)

    def _take_back(self) -> None:
        for channel, coming in self.mailbox.take():
            self._away.remove(channel)
            self._agenda.stop(channel)
            self.settle(channel, coming)
        if self._show_room():
            self._entrance.thread_freed()

    def _gives_way(self) -> bool:
        """Whether newcomers had better be left to other processes for a moment."""
        return bool(self._away) and not self._runner.room() and self._pulse.others_have_room()

    def _show_room(self) -> int:
        """Let other processes see how much room there is; return that."""
        self._pulse.cells[ROOM] = room = 0 if self._draining else self._runner.room()
        return room

    # Time

    def time(self, channel: Channel, deadlines: Deadlines[Channel]) -> None:
        """Give the channel a new deadline, from now: the application may have taken its time since poll returned."""
        self._agenda.start(channel, deadlines, self._clock.update())

    def _expire(self, now: float) -> None:
        """Part with those whose time is up, and find out who is next."""
        agenda = self._agenda
        for channel in agenda.silent(now):
            self.drop(channel)
        for channel in agenda.opening.expired(now):
            self._tally.count("handshake_timeout")
            self.drop(channel)
        for channel in agenda.head.expired(now):
            self._tally.count("head_timeout")
            self.refuse(channel, HTTPError(HTTPStatus.REQUEST_TIMEOUT, "the request head took too long"))
        for channel in agenda.slow_bodies(now):
            self._tally.count("body_timeout")
            self.refuse(channel, HTTPError(HTTPStatus.REQUEST_TIMEOUT, "the request body took too long"))
        for channel in agenda.slow_readers(now):
            self._tally.count("write_timeout")
            self._give_up(channel, Next.ABORT)
        for channel in agenda.queued.expired(now):
            agenda.stop(channel)
            if self._runner.withdraw(channel):
                self._away.remove(channel)
                self.refuse_busy(channel)
        agenda.look_ahead(self._entrance.resume(now), self._stop.deadline)

    # Receiving

    def begin(self, channel: Channel, received: bytes) -> bool:
        """Speak HTTP from now on; some octets of it may have been received. Return whether the loop was taken."""
        self.time(channel, self._agenda.last if self._draining else self._agenda.fresh)
        channel.on_ready = self.receive
        self.watch(channel, READ)
        if received:
            channel.connection.receive(received)
            return self._parse(channel) and self._answer(channel)
        return self.receive(channel)  # TLS may hold what the poller cannot see

    def receive(self, channel: Channel) -> bool:
        """Take what has arrived, and answer a request that is complete; return whether the loop was taken."""
        return self._hear(channel) and self._answer(channel)

    def _answer_within_limit(self, channel: Channel) -> bool:
        """Have a request answered that has just arrived, unless too many of other clients are."""
        if self._has_enough_to_do(channel):
            self.refuse_busy(channel)
            return False
        return self._runner.answer(channel)

    def _has_enough_to_do(self, channel: Channel) -> bool:
        """Whether as many requests as are allowed are being answered besides this one, which is no health check."""
        waiting, most = len(self._agenda.write), self._most_at_once
        if waiting + len(self._away) < most or (channel.request and channel.request.path == self._health_path):
            return False
        running = [away.request for away in self._away if away.request is not None]  # less those on their way back
        return waiting + sum(not request.answered for request in running) >= most

    def _leave_lost(self, channel: Channel) -> bool:
        """Part with a client who has hung up, before its request is begun: nobody would read the answer."""
        if channel.on_ready != self.receive or not has_gone(channel.socket):  # another had the descriptor before
            return bool(channel.on_ready(channel))
        if channel.discard():
            self._tally.count("gone")
        self.drop(channel)
        return False

    def _hear(self, channel: Channel) -> bool:
        """Take what has arrived; return whether a request is complete, and have it in `channel.request`."""
        try:
            channel.connection.receive(channel.socket.recv(channel.connection.appetite))
        except BlockingIOError:
            return False
        except OSError:
            self.drop(channel)
            return False
        return self._parse(channel)

    def _parse(self, channel: Channel) -> bool:
        """Return whether a request is complete among what has been taken, and have it in `channel.request`."""
        connection = channel.connection
        try:
            request = channel.request = connection.next_request()
        except HTTPError as error:
            self.refuse(channel, error)
            return False
        if request is not None:
            return True
        # There is one span for the whole of a head, however it is dripped.
        if connection.state is not State.HEAD or channel.deadlines is not self._agenda.head:
            self.settle(channel, starved(channel))
        return False

    def _discard(self, channel: Channel) -> None:
        """Read on after the last word, so that the client gets to read it (RFC 9112 §9.6)."""
        if channel.discard() is None:
            self.drop(channel)

    # What comes next

    def settle(self, channel: Channel, coming: Next) -> None:
        """Have a channel wait for what comes next, or part with it."""
        if coming is INPUT:
            self._await_input(channel)
        elif coming is Next.ROOM:
            self._await_room(channel)
        elif coming is Next.GOODBYE:
            self._say_goodbye(channel)
        else:
            self._give_up(channel, coming)

    def _await_input(self, channel: Channel) -> None:
        state = channel.connection.state
        if state is IDLE:
            self.time(channel, self._agenda.last if self._draining else self._agenda.idle)
        elif state is State.HEAD:
            self.time(channel, self._agenda.head)
        elif channel.deadlines is not self._agenda.body:
            self._agenda.expect_body(channel, self._clock.update())
        channel.on_ready = self.receive
        if channel.interest != READ:
            self.watch(channel, READ)

    def _await_room(self, channel: Channel) -> None:
        if channel.deadlines is not self._agenda.write:
            self._agenda.expect_taking(channel, self._clock.update())
        channel.on_ready = self._continue
        self.watch(channel, WRITE)

    def _continue(self, channel: Channel) -> bool:
        try:
            if not channel.flush():
                return False
            self._agenda.stop(channel)  # it has taken enough for the next to be made
        except (ApplicationError, OSError) as error:
            self._give_up(channel, Next.ABORT if isinstance(error, ApplicationError) else Next.DROP)
            return False
        if channel.response is None and not self._parse(channel):
            return False
        return self._runner.answer(channel)

    def watch(self, channel: Channel, interest: int) -> None:
        """Have the poller report `interest` of a channel, 0 for nothing."""
        if channel.interest == interest:
            return
        if not interest:
            self._poller.unregister(channel.descriptor)  # merely modified to nothing, it would report a hang-up
        elif channel.interest:
            self._poller.modify(channel.descriptor, interest)
        else:
            self._poller.register(channel.descriptor, interest)
        channel.interest = interest

    # Parting

    def refuse(self, channel: Channel, error: HTTPError) -> None:
        """Answer with an error, and part."""
        self.settle(channel, refuse(channel, self.gateway, error))

    def refuse_busy(self, channel: Channel) -> None:
        """Answer that nobody has time, and part."""
        self._tally.count("busy")
        self.settle(channel, refuse_busy(channel, self.gateway))

    def _say_goodbye(self, channel: Channel) -> None:
        """Close after the last word: at once where the client expects it, else once it has read it."""
        if not (self._lingers and channel.lingers) or channel.connection.ended:
            self.drop(channel)
            return
        try:
            channel.socket.shutdown(SHUT_WR)
        except OSError:
            self.drop(channel)
            return
        self.time(channel, self._agenda.linger)
        self.watch(channel, READ)
        channel.on_ready = self._discard

    def _give_up(self, channel: Channel, how: Next) -> None:
        """Part without a word. A response is closed first, by whoever runs the application."""
        if channel.response is None:
            self._forget(channel)
            channel.close(abort if how is Next.ABORT else leave)
            return
        channel.given_up = how
        channel.on_ready = self._mute
        self._agenda.stop(channel)
        self._ready.append(channel)

    def drop(self, channel: Channel) -> None:
        """Part with a client that has gone, or is not heard any more."""
        self._give_up(channel, Next.DROP)

    def _forget(self, channel: Channel) -> None:
        del self._channels[channel.descriptor]
        self.watch(channel, 0)  # closing alone does not, where a forked child has the socket too
        self._entrance.channel_closed()

    # Stopping

    def _heed_stop(self) -> None:
        """Find out what is wanted of us; a signal that means something else wakes us too."""
        self._stop.acknowledge()
        self._runner.notice()
        if self._stop.draining:
            self.persists = False
        if self._stop.requested:
            self._agenda.next_due = min(self._agenda.next_due, self._stop.deadline)
            if not self._draining:
                self._drain()

    def _drain(self) -> None:
        """Take what the kernel has queued, stop listening, and end each connection with its next response."""
        self._refuse_newcomers()
        self._entrance.drain(self._clock.now)
        self._draining = True
        self._show_room()
        for channel in list(self._channels.values()):
            if self._agenda.waits_for_request(channel):
                if self._hear(channel):  # a request that has arrived is answered
                    channel.on_ready = self._mute
                    self._agenda.stop(channel)
                    self._ready.append(channel)
                elif self._agenda.waits_for_request(channel):
                    self.time(channel, self._agenda.last)
            elif channel.opening is not None:
                self.time(channel, self._agenda.last)

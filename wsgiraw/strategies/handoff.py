"""The event loop, and threads only when they are needed. The default.

One thread at a time holds the loop, and runs the application right there. When a call lasts, a watchdog takes the loop
from it and gives it to a parked thread; the busy one finishes its call on its own and gives the channel back. So a
quick application never pays for a thread, and a slow one never holds up the loop for long.

* The application is run inline only while a thread is parked, so that the watchdog finds one to give the loop to. There
  is one more than may run the application: the loop is always held, if need be by a thread that runs no application but
  accepts, reads, keeps every timeout, and queues complete requests.
* Each call is published as a list of its own with its channel in it. Whoever pops that channel, the holder after the
  call or the watchdog before, has the loop; `list.pop` succeeds once. No list is used twice, and the watchdog keeps the
  one it saw last, so two calls are never taken for one.
* What belongs to the loop is touched by its holder only; between the watchdog's pop and the first step of the next
  holder, by the watchdog only. The channel of the call stays with the thread that runs it.
* When nothing has run for a while the watchdog sleeps until a holder wakes it: an idle server wakes up never.
"""

import threading
import time

from wsgiraw.strategies import eventloop
from wsgiraw.strategies.bell import Bell
from wsgiraw.strategies.channel import Channel
from wsgiraw.strategies.crew import Crew, Member
from wsgiraw.strategies.exchange import advance
from wsgiraw.strategies.loop import EventLoop
from wsgiraw.strategies.runner import Returned
from wsgiraw.strategies.service import Service

__all__ = ["Handoff", "serve"]

_QUIET = 20
"""Ticks without a call after which the watchdog sleeps."""

_CALM, _LOADED, _RARELY = 1.0, 0.3, 10
"""Seconds without a slow call after which the watchdog, if so many of its looks find a call that runs, looks so many
times more rarely: each look takes the interpreter from a loop that has no time to spare."""


def serve(service: Service) -> None:
    """Serve until told to stop; return once what was in flight is done or its time is up."""
    if service.capacity.threads == 1:
        eventloop.serve(service)
    else:
        Handoff(service).run()


class Handoff:
    """The threads, the loop that one of them holds, and the watchdog, which is a thread of its own."""

    def __init__(self, service: Service) -> None:
        self._gateway = service.gateway
        self._clock = service.gateway.clock
        self._pulse = service.pulse
        self._stop = service.stop
        self._tick = service.capacity.handoff_after
        self._loop = EventLoop(service, self)
        self._crew = Crew(service, self._loop, service.capacity.threads + 1, self._fail)
        self.pace = self._crew.pace
        self._holder: Member | None = None
        self.call: list[Channel] = []
        """The channel of the call that runs on the loop; empty once it has ended, or the loop was taken from it."""
        self._taken: Channel | None = None
        """The channel whose call the loop was taken from, for the next holder to leave alone."""
        self._finished = False
        self._unheard: list[Channel] = []
        """Channels that were still waiting for a thread at the end."""
        self._last_overrun = -_CALM
        self.asleep = False
        """The watchdog sleeps, or is about to."""
        self._alarm = Bell()
        """For the watchdog."""
        self._news = Bell()
        """For the thread that calls `run`."""

    def run(self) -> None:
        """Serve until told to stop. This thread only waits: signal handlers, and Ctrl-C, disturb nothing in it."""
        watchdog = threading.Thread(target=self._watch, name="wsgiraw-watchdog", daemon=True)
        try:
            self._crew.start()
            watchdog.start()
            self._pulse.ready()
            self._crew.send(self._turn)
            self._wait()
            watchdog.join()
        finally:
            self._unheard += self._crew.halt()
            self._loop.close(self._unheard)
            self._crew.join()
        if self._crew.failure is not None:
            raise self._crew.failure

    def _wait(self) -> None:
        """Return once the loop has come to its end."""
        try:
            while not self._finished:
                self._news.wait()
        except BaseException:  # the operator's Ctrl-C, in a program that has no handler for it
            self._stop.request()
            self._stop.request()
            while not self._finished:
                self._news.wait()
            raise

    # The holder of the loop

    def _turn(self, me: Member) -> Returned | None:
        """Turn the loop until it has come to its end, or another thread has it."""
        self._holder = me
        taken, self._taken = self._taken, None
        if taken is not None:
            self._loop.give_away(taken)
        if not self._loop.run():
            self._finish()
        lost, me.lost = me.lost, None
        return lost

    def answer(self, channel: Channel) -> bool:
        """Run the application right here, or have a thread do it."""
        crew, me, pace = self._crew, self._holder, self.pace
        request = channel.request
        suits_us = True
        if channel.owner is not None:
            suits_us = channel.owner is me
        elif pace.memorable and request is not None:
            suits_us = pace.suits_loop(request.path, self._clock.now)
        if not (suits_us and crew.parked):
            crew.give(channel)
            return False
        self.call = call = [channel]
        if self.asleep:
            self._alarm.ring()
        coming = advance(channel, self._gateway, self._loop.persists)
        channel.owner = me if channel.response is not None else None
        try:
            call.pop()
        except IndexError:
            assert me is not None
            me.lost = (channel, coming)
            return True
        if pace.memorable and request is not None:
            pace.note_quick(request.path)
        self._loop.settle(channel, coming)
        return False

    def relieved(self) -> bool:
        """Pass the loop on where the holder has something to do that nobody else may, and somebody is parked."""
        me = self._holder
        if me is None or not me.own or not self._crew.parked:
            return False
        self._crew.send(self._turn)
        return True

    def withdraw(self, channel: Channel) -> bool:
        return self._crew.withdraw(channel)

    def room(self) -> int:
        return len(self._crew.parked)

    def notice(self) -> None:
        self._news.ring()  # a signal, perhaps, whose handler is to run in the main thread: that one, perhaps

    def _finish(self) -> None:
        self._unheard += self._crew.halt()
        self._finished = True
        self._alarm.ring()
        self._news.ring()

    def _fail(self, me: Member) -> None:
        """Somebody has met a fault of ours. Whoever holds the loop brings it to its end."""
        if me is self._holder:
            self._finish()
        else:
            self._stop.request()
            self._stop.request()

    # The watchdog

    def _watch(self) -> None:
        """Look at the running call once a tick; take the loop from one that was there a tick ago.

        While calls follow one another, and none has been slow for a second, it looks more rarely; and after a tick
        again if it has seen one.
        """
        seen, quiet, again, load = self.call, 0, False, 0.0
        while not self._finished:
            rarely = load > _LOADED and not again and time.monotonic() - self._last_overrun > _CALM
            self._alarm.wait(self._tick * _RARELY if rarely else self._tick)
            call = self.call
            load += (bool(call) - load) / _QUIET
            if call is not seen:
                seen, quiet, again = call, 0, not again and bool(call)
            elif call:
                self.take_loop(call)
            elif quiet < _QUIET:
                quiet += 1
            else:
                self._sleep()

    def take_loop(self, call: list[Channel]) -> None:
        """Take the loop from the thread that runs a call, unless the call has just ended; give it to a parked one."""
        try:
            self._taken = call.pop()
        except IndexError:
            return
        request = self._taken.request
        self.pace.note_overrun("" if request is None else request.path, self._clock.now)
        self._last_overrun = time.monotonic()
        self._crew.send(self._turn)

    def _sleep(self) -> None:
        self.asleep = True
        # A holder that published a call before it could see that we sleep has done so by the end of this tick.
        if not (self._alarm.wait(self._tick) or self.call or self._finished):
            self._alarm.wait()
        self.asleep = False

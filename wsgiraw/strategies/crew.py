"""Threads that run the application for a loop, and the channels that wait for one of them.

Invariants, kept by `_lock`:

* A member is parked, or has something to do. Only whoever turns the loop un-parks one, so while it sees one parked, one
  stays parked.
* A member parks only when there is nothing that it could do: the queue is empty, and so is its own.
* A channel that waits is in the queue or with its owner, never in both; once taken from there, only the thread that
  took it touches it, until it has put it into the loop's mailbox.
* A member looks for its next work before it gives its last one back: when the loop is told that a thread has come free,
  it has.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

from wsgiraw.net import abort
from wsgiraw.observe import log
from wsgiraw.strategies.channel import Channel, Next
from wsgiraw.strategies.exchange import advance
from wsgiraw.strategies.loop import EventLoop
from wsgiraw.strategies.pace import Pace
from wsgiraw.strategies.presence import has_gone
from wsgiraw.strategies.runner import Returned
from wsgiraw.strategies.service import Service

__all__ = ["Crew", "Member"]


class Member:
    """A thread of a crew."""

    __slots__ = ("errand", "gate", "lost", "own", "thread")

    def __init__(self) -> None:
        self.gate = threading.Lock()
        """Where it parks."""
        self.gate.acquire()
        self.errand: Callable[[Member], Returned | None] | None = None
        """What it is to do first when the gate opens; a channel that comes of it goes back to the loop."""
        self.own = deque[Channel]()
        """Channels that it must answer itself."""
        self.lost: Returned | None = None
        """What it was at when the loop was taken from it."""
        self.thread: threading.Thread | None = None


class Crew:
    """The threads and their queue."""

    def __init__(self, service: Service, loop: EventLoop, size: int, when_failed: Callable[[Member], None]) -> None:
        """`when_failed` is called in a thread that ends because of a fault of ours; `failure` then says which."""
        self.pace = Pace(service.capacity.handoff_after)
        self.parked: list[Member] = []
        """Whoever turns the loop may look without the lock: for the others it only grows."""
        self.failure: BaseException | None = None
        self._gateway = service.gateway
        self._tally = service.tally
        self._health_path = service.health_path
        self._longest_queue = service.capacity.queue
        self._loop = loop
        self._when_failed = when_failed
        self._queue: dict[Channel, None] = {}  # in order, and one in the middle can be withdrawn
        self._ended = False
        self._lock = threading.Lock()
        self._members = [Member() for _ in range(size)]

    def start(self) -> None:
        """Start the threads, all parked."""
        self.parked += self._members
        for number, member in enumerate(self._members, 1):
            # A daemon: the process ends although an application does not return.
            thread = threading.Thread(target=self._live, args=(member,), name=f"wsgiraw-{number}", daemon=True)
            thread.start()
            member.thread = thread

    # For whoever turns the loop

    def give(self, channel: Channel) -> None:
        """Have a channel answered: by its owner, by a parked thread, or by the next that comes free."""
        with self._lock:
            member = channel.owner or (self.parked[-1] if self.parked else None)
            at_once = member is None and self._asks_for_health(channel)
            queued = member is None and not at_once and len(self._queue) < self._longest_queue
            if member is not None:
                member.own.append(channel)
                if member in self.parked:
                    self.parked.remove(member)
                    member.gate.release()
            elif queued:
                self._queue[channel] = None
        if at_once:  # the application is not asked
            self._loop.settle(channel, advance(channel, self._gateway, self._loop.persists))
        elif member is not None or queued:
            self._loop.give_away(channel, queued=queued)
        else:
            self._loop.refuse_busy(channel)

    def _asks_for_health(self, channel: Channel) -> bool:
        """Whether that is all that a channel asks for: what is behind it would be answered with it."""
        request = channel.request
        return request is not None and request.path == self._health_path and not channel.connection.has_input

    def withdraw(self, channel: Channel) -> bool:
        """Take a channel out of the queue; return False where a thread has taken it already."""
        with self._lock:
            queued = channel in self._queue
            self._queue.pop(channel, None)
            return queued

    def send(self, errand: Callable[[Member], Returned | None]) -> None:
        """Have a parked thread do something. There must be one."""
        with self._lock:
            member = self.parked.pop()
            member.errand = errand
            member.gate.release()

    def halt(self) -> list[Channel]:
        """Begin nothing more; return the channels that nobody will answer now."""
        with self._lock:
            if self._ended:
                return []
            self._ended = True
            waiting = [*self._queue, *(channel for member in self._members for channel in member.own)]
            self._queue.clear()
            for member in self._members:
                member.own.clear()
            for member in self.parked:
                member.gate.release()
            return waiting

    def join(self) -> None:
        """Wait for the threads that do not run the application any more."""
        with self._lock:
            free = list(self.parked) if self._loop.away else self._members
        for member in free:
            if member.thread is not None:
                member.thread.join()
        if self._loop.away:
            log.warning("%d requests were still running when the time to stop was up", self._loop.away)

    # For the members

    def _live(self, me: Member) -> None:
        try:
            while not self._ended:
                me.gate.acquire()
                errand, me.errand = me.errand, None
                done = None if errand is None else errand(me)
                while True:
                    channel, waited = self._take(me)
                    if done is not None and not self._loop.mailbox.put(done):
                        done[0].close(abort)  # the loop has come to its end
                    if channel is None:
                        break
                    if waited and has_gone(channel.socket):
                        self._tally.count("gone")
                        done = channel, Next.DROP
                    else:
                        done = self._answer(me, channel)
        except BaseException as error:
            self.failure = error
            self._when_failed(me)

    def _take(self, me: Member) -> tuple[Channel | None, bool]:
        """Return what is to be done next, or park; and whether it has waited for us."""
        with self._lock:
            if me.own:
                return me.own.popleft(), False
            if self._queue:  # both are empty after `halt`
                channel = next(iter(self._queue))
                del self._queue[channel]
                return channel, True
            self.parked.append(me)
            if self._ended:
                me.gate.release()
            return None, False

    def _answer(self, me: Member, channel: Channel) -> Returned:
        path = None if channel.request is None else channel.request.path
        began = time.monotonic()
        try:
            coming = advance(channel, self._gateway, self._loop.persists)
        except BaseException:
            channel.close(abort)  # nobody else knows of it
            raise
        channel.owner = me if channel.response is not None else None
        if path is not None and self.pace.memorable:
            self.pace.note(path, time.monotonic() - began)
        return channel, coming

"""Workers as processes: they are forked, told, heard and reaped here. Whether and when is decided in master.py."""

import json
import math
import os
import signal
from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from wsgiraw.config import Config
from wsgiraw.net import Listener
from wsgiraw.observe import log
from wsgiraw.strategies.prefork.contract import Duties, Post, Worker
from wsgiraw.strategies.prefork.inbox import Inbox
from wsgiraw.strategies.prefork.shared import SharedPulses
from wsgiraw.strategies.prefork.worker import FAILED, Failure, be_worker, flush
from wsgiraw.strategies.pulse import Pulse

__all__ = ["GRACE", "Flock", "Generation", "Member", "heard_failure", "manner"]

GRACE = 1.0
"""Seconds that a worker has beyond its time to stop, before it is killed."""


@dataclass(eq=False, slots=True)
class Generation:
    """Workers that are alike."""

    number: int
    config: Config
    listeners: Sequence[Listener]
    wanted: int
    """How many there should be."""


@dataclass(eq=False, slots=True)
class Member:
    """A worker that has not been reaped: its process number is still its own. Times are monotonic seconds."""

    pid: int
    number: int
    generation: Generation
    channel: int
    """Its messages are read here."""
    row: MutableSequence[int]
    """Its pulse."""
    started: float
    ready: float | None = None
    """Since when."""
    retires: str = ""
    """Why it is to be replaced."""
    leaving: bool = False
    """It has been told to stop, and is none of those that serve."""
    kill_at: float = math.inf
    failure: Failure | None = None
    """Its last words."""
    silent: bool = False
    """It has closed its end of the channel: it ends, or has ended."""
    turns: int = 0
    turned: float = 0.0
    """When its loop was last seen to have turned, or to wait."""
    _heard: bytearray = field(default_factory=bytearray)

    def messages(self) -> Iterator[str]:
        """Yield what it has said since."""
        with suppress(BlockingIOError):
            while octets := os.read(self.channel, 65536):
                self._heard += octets
            self.silent = True
        *lines, self._heard = self._heard.split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")


class Flock:
    """All workers of a master, of any generation."""

    def __init__(self, inbox: Inbox, duties: Duties) -> None:
        self.members: list[Member] = []
        self._inbox = inbox
        self._duties = duties
        self._pulses = SharedPulses()
        self._alive, self._held = os.pipe2(os.O_CLOEXEC)
        """Workers watch the one end; it ends when the master does, who alone holds the other."""

    def start(self, generation: Generation, strays: Iterable[int], now: float) -> Member:
        """Fork a worker; `strays` are descriptors that are none of its business. Raises `OSError`."""
        number = self._pulses.take()
        channel = theirs = -1
        try:
            channel, theirs = os.pipe2(os.O_CLOEXEC)
            os.set_blocking(channel, False)
            flush()
            with self._inbox.held_back() as mask:
                pid = os.fork()
                if pid == 0:
                    strays = [channel, self._held, *(member.channel for member in self.members), *strays]
                    self._be_worker(number, generation, theirs, strays, mask)
        except OSError:
            self._pulses.give_back(number)
            if channel >= 0:
                os.close(channel)
            raise
        finally:
            if theirs >= 0:
                os.close(theirs)
        member = Member(pid, number, generation, channel, self._pulses.row(number), now, turned=now)
        self.members.append(member)
        return member

    def _be_worker(
        self,
        number: int,
        generation: Generation,
        channel: int,
        strays: Sequence[int],
        mask: set[int | signal.Signals],
    ) -> None:
        def part() -> None:
            self._inbox.leave()
            for descriptor in strays:
                os.close(descriptor)

        def tell(message: str) -> None:
            with suppress(BrokenPipeError):  # the master is no more, which we shall notice
                os.write(channel, message.replace("\n", " ").encode(errors="replace") + b"\n")

        def work() -> None:
            pulse = Pulse(self._pulses.row(number), tell, lambda: self._pulses.others_have_room(number))
            post = Post(Worker(number, generation.number, os.getpid()), pulse, self._alive)
            self._duties.work(generation.config, generation.listeners, post)

        be_worker(part, mask, work, tell)

    def tell(self, member: Member, number: int) -> None:
        """Send a signal. Whoever has not been reaped is still there to get it, if only as a zombie."""
        os.kill(member.pid, number)

    def dismiss(self, member: Member, now: float) -> None:
        """Let a worker finish what it is at, and end."""
        if not member.leaving:
            member.leaving = True
            self.tell(member, signal.SIGTERM)
            member.kill_at = now + member.generation.config.graceful_timeout + GRACE

    def dismiss_at_once(self, member: Member, now: float) -> None:
        """Let a worker drop what it is at, and end."""
        member.leaving = True
        self.tell(member, signal.SIGQUIT)
        member.kill_at = min(member.kill_at, now + GRACE)

    def kill_overdue(self, now: float) -> None:
        """Kill those that have been told to end and did not."""
        for member in self.members:
            if now >= member.kill_at:
                member.kill_at = math.inf
                log.error("worker %d does not end: it is killed", member.pid)
                self.tell(member, signal.SIGKILL)

    def kill_all(self) -> None:
        """Leave nobody behind."""
        for member in self.members:
            self.tell(member, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(member.pid, 0)
            os.close(member.channel)
        self.members.clear()

    def reap(self) -> Iterator[tuple[Member, int]]:
        """Take leave of those that have ended; yield each with its status, after its last words were heard."""
        for member in tuple(self.members):
            try:
                ended, status = os.waitpid(member.pid, os.WNOHANG)
            except ChildProcessError:  # somebody else in this program has reaped it
                ended, status = member.pid, 0
            if ended:
                self.members.remove(member)
                yield member, status
                os.close(member.channel)
                self._pulses.give_back(member.number)
        if os.getpid() == 1:  # orphans of others come to us
            _reap_strangers({member.pid for member in self.members})

    def close(self) -> None:
        """Give the descriptors back."""
        os.close(self._alive)
        os.close(self._held)


def _reap_strangers(ours: set[int]) -> None:
    with suppress(ChildProcessError):
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if found.si_pid in ours:
                return  # it has ended meanwhile, and SIGCHLD will tell
            os.waitpid(found.si_pid, 0)


def heard_failure(message: str) -> Failure | None:
    """Return the failure in a message, if that is what it is."""
    if not message.startswith(FAILED):
        return None
    return Failure(*json.loads(message.removeprefix(FAILED)))


def manner(status: int) -> str:
    """Return how a process ended, of what `waitpid` says."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal has no name
        return f"signal {-code}"

"""The master: it waits for signals and for what workers say, and decides who is started and who is told to stop.

It never serves. What happens is recorded, and `_settle` compares what is with what should be (roster.py); so it
does not matter in which order things happen, or how many at once.
"""

import math
import os
import select
import signal
import time
from collections.abc import Callable
from enum import Enum, auto

from wsgiraw.config import Config
from wsgiraw.errors import ConfigError
from wsgiraw.observe import log
from wsgiraw.strategies.prefork.backoff import YOUNG, Backoff
from wsgiraw.strategies.prefork.contract import Duties
from wsgiraw.strategies.prefork.flock import Flock, Member, heard_failure, manner
from wsgiraw.strategies.prefork.inbox import DUMP, Inbox
from wsgiraw.strategies.prefork.ports import Ports
from wsgiraw.strategies.prefork.roster import Roster
from wsgiraw.strategies.prefork.terminal import Terminal
from wsgiraw.strategies.prefork.upgrade import Predecessor, Upgrade
from wsgiraw.strategies.prefork.vigil import resident, stuck
from wsgiraw.strategies.prefork.worker import Failure

__all__ = ["supervise"]

_TICK = 1.0
"""Seconds between two looks at workers, where there is something to see."""

_ABORTING = 2.0
"""Seconds that a worker which is stuck has for writing its stacks."""

_MOST = 1024
"""Workers."""


def supervise(config: Config, duties: Duties, ports: Ports, predecessor: Predecessor | None = None) -> None:
    """Keep `config.workers` processes at work until told to stop; return once all have ended.

    A predecessor is told once all of them are ready. Raises `ConfigError` where none could ever serve.
    """
    inbox = Inbox()
    flock = Flock(inbox, duties)
    try:
        _Master(config, duties, ports, inbox, flock, predecessor).run()
    finally:
        flock.kill_all()  # none is left, unless the master failed
        flock.close()
        inbox.close()


class _Phase(Enum):
    SERVING = auto()
    DRAINING = auto()
    """We shall stop, but still accept (`--drain-delay`)."""
    STOPPING = auto()


class _Master:
    def __init__(
        self,
        config: Config,
        duties: Duties,
        ports: Ports,
        inbox: Inbox,
        flock: Flock,
        predecessor: Predecessor | None,
    ) -> None:
        self._duties, self._ports, self._inbox, self._flock = duties, ports, inbox, flock
        self._predecessor = predecessor
        self._roster = Roster(flock.members, config, ports.listeners)
        self._phase = _Phase.SERVING
        self._stop_at = math.inf
        self._next_tick = 0.0
        self._keep_alive_at = 0.0
        self._backoff = Backoff()
        self._established = False
        """Somebody has been ready: from now on workers are replaced, whatever happens."""
        self._logs_reopened = -math.inf
        self._fatal: ConfigError | None = None
        self._upgrade = Upgrade()
        self._terminal = Terminal()

    def run(self) -> None:
        """Supervise until all have ended. Raises what kept the first workers from serving."""
        while True:
            self._settle(time.monotonic())
            if self._phase is _Phase.STOPPING and not self._flock.members:
                break
            self._wait()
        if self._fatal is not None:
            raise self._fatal

    def _wait(self) -> None:
        """Wait for the next thing to happen, and take note of it."""
        by_channel = {member.channel: member for member in self._flock.members if not member.silent}
        poll = select.poll()
        for descriptor in (self._inbox.fileno(), *self._upgrade.descriptors(), *by_channel):
            poll.register(descriptor, select.POLLIN)
        due = self._next_due() - time.monotonic()
        ready = {descriptor for descriptor, _ in poll.poll(None if due == math.inf else max(0, math.ceil(due * 1000)))}
        now = time.monotonic()
        # Messages before signals: who has said that it is ready and then died was ready.
        for channel in by_channel.keys() & ready:
            self._hear(by_channel[channel], now)
        if ready.intersection(self._upgrade.descriptors()):
            self._end_upgrade(now)
        if self._inbox.fileno() in ready:
            for number in self._inbox.read():
                self._obey(number, now)

    def _next_due(self) -> float:
        times = [self._stop_at, self._keep_alive_at, *(member.kill_at for member in self._flock.members)]
        if self._phase is not _Phase.STOPPING:
            if self._roster.missing():
                times.append(self._backoff.until)
            if self._ticks():
                times.append(self._next_tick)
        return min(times)

    # What should be

    def _settle(self, now: float) -> None:
        """Compare what is with what should be, and act."""
        self._flock.kill_overdue(now)
        if now >= self._keep_alive_at:
            self._keep_alive_at = now + self._duties.interval
            self._duties.keep_alive()
        if self._phase is _Phase.STOPPING:
            return
        if now >= self._stop_at:
            self._stop(now)
            return
        if self._ticks() and now >= self._next_tick:
            self._next_tick = now + _TICK
            self._look(now)
        self._promote(now)
        for member in self._roster.surplus():
            self._flock.dismiss(member, now)
        if now >= self._backoff.until:
            self._fill(now)

    def _fill(self, now: float) -> None:
        for generation in self._roster.missing():
            strays = self._ports.besides(generation.listeners).union(self._upgrade.descriptors())
            if self._predecessor is not None:
                strays.update(self._predecessor.descriptors())
            try:
                self._flock.start(generation, strays, now)
            except OSError as error:
                pause = self._backoff.crashed(now, self._roster.oldest_replacement(self._backoff.since))
                log.error("cannot start a worker: %s: trying again in %.0f s", error.strerror, pause)
                return

    # What workers say

    def _hear(self, member: Member, now: float) -> None:
        for message in member.messages():
            if (failure := heard_failure(message)) is not None:
                member.failure = failure
            elif message == "ready" and member.ready is None:
                self._note_ready(member, now)
            elif message.startswith("retire "):
                self._retire(member, message.removeprefix("retire "))

    def _note_ready(self, member: Member, now: float) -> None:
        member.ready = now
        log.debug("worker %d is ready", member.pid)
        # What was sent to it while it could not hear is sent again.
        if member.started <= self._logs_reopened:
            self._flock.tell(member, signal.SIGUSR1)
        if self._phase is _Phase.DRAINING:
            self._flock.tell(member, signal.SIGUSR2)
        wanted = 1 if self._predecessor is None else member.generation.wanted
        if self._established or self._roster.ready(member.generation) < wanted:
            return
        self._established = True
        try:
            self._duties.established()
        except ConfigError as error:
            self._give_up(error, now)
            return
        if self._predecessor is not None:
            self._ports.take_over()
            self._predecessor.relieve()

    def _retire(self, member: Member, reason: str) -> None:
        if not member.leaving and not member.retires:
            log.info("worker %d is to be replaced: %s", member.pid, reason)
            member.retires = reason

    def _reap(self, now: float) -> None:
        for member, status in self._flock.reap():
            self._hear(member, now)
            if self._phase is not _Phase.STOPPING and not member.leaving:
                self._mourn(member, status, now)
        self._upgrade.reap()

    def _mourn(self, member: Member, status: int, now: float) -> None:
        """A worker has ended that should not have."""
        how = manner(status)
        failure = member.failure or Failure(f"a worker ended ({how}) before it was ready", "")
        if not self._established and member.ready is None:
            self._give_up(failure.error(), now)
        elif member.generation is self._roster.coming and member.ready is None:
            self._abandon(now, failure)
        elif member.ready is not None and (now - member.ready >= YOUNG or os.WTERMSIG(status) == signal.SIGKILL):
            # Nobody sends SIGKILL to himself: it was not the fault of what is served here.
            log.error("worker %d ended (%s): it is replaced", member.pid, how)
        else:
            pause = self._backoff.crashed(now, self._roster.oldest_replacement(self._backoff.since))
            why = f": {failure.message}{_below(failure.details)}" if member.failure else ""
            log.error("worker %d ended (%s) at its start: the next starts in %.0f s%s", member.pid, how, pause, why)

    def _give_up(self, error: ConfigError, now: float) -> None:
        """Nobody has ever served, and nobody will."""
        self._fatal = self._fatal or error
        self._stop(now, at_once=True)

    # What can be seen of workers

    def _ticks(self) -> bool:
        configs = [member.generation.config for member in self._flock.members]
        return any(config.loop_timeout or config.max_rss for config in configs)

    def _look(self, now: float) -> None:
        for member in self._flock.members:
            if member.leaving:
                continue
            if stuck(member, now):
                log.critical("worker %d has been stuck for %.0f s: it is killed", member.pid, now - member.turned)
                if member.generation is self._roster.coming and member.ready is None:
                    self._abandon(now, Failure("a worker was stuck before it was ready", ""))
                member.leaving = True  # somebody is started in its place at once
                self._flock.tell(member, signal.SIGABRT)  # faulthandler writes its stacks
                member.kill_at = now + _ABORTING
            most = member.generation.config.max_rss
            if most and not member.retires and member.ready is not None and (size := resident(member.pid)) > most:
                self._retire(member, f"it holds {size // 2**20} MiB")

    # Signals

    def _obey(self, number: int, now: float) -> None:
        serving = self._phase is _Phase.SERVING
        match number:
            case signal.SIGCHLD:
                self._reap(now)
            case signal.SIGTERM if serving:
                self._begin_to_stop(now)
            case signal.SIGTERM | signal.SIGINT | signal.SIGQUIT:
                self._stop(now, at_once=True)
            case signal.SIGHUP if serving and self._terminal.has_gone():
                self._begin_to_stop(now)
            case signal.SIGHUP if serving:
                self._reload(now)
            case signal.SIGUSR1:
                self._logs_reopened = now
                self._duties.reopen_logs()
                self._tell_all(signal.SIGUSR1)
            case signal.SIGUSR2 if serving:
                self._begin_upgrade()
            case signal.SIGTTIN:
                self._resize(lambda wanted: min(wanted + 1, _MOST))
            case signal.SIGTTOU:
                self._resize(lambda wanted: max(wanted - 1, min(wanted, 1)))
            case signal.SIGWINCH if not self._terminal.is_ours():
                self._resize(lambda wanted: 0)
            case _ if number == DUMP:
                self._tell_all(number)

    def _tell_all(self, number: int) -> None:
        for member in self._flock.members:
            self._flock.tell(member, number)

    def _resize(self, change: Callable[[int], int]) -> None:
        self._roster.resize(change)
        self._settled()

    # Reloading

    def _reload(self, now: float) -> None:
        """Let a new generation come; the current one serves until all of it is ready."""
        self._duties.reloading()
        try:
            config = self._duties.reread()
            if config.workers == 0:
                raise ConfigError("workers 0 takes a restart: a master cannot serve")
            listeners = self._ports.open(config)
        except ConfigError as error:
            log.error("not reloaded, everything stays as it was: %s", error)
            self._settled(f"not reloaded: {error}")
            return
        log.info("reloading")
        self._dismiss_coming(now)
        self._roster.expect(config, listeners)
        self._backoff = Backoff()  # what was wrong may have been repaired

    def _settled(self, failure: str = "") -> None:
        """Say that a reload has ended, unless another has not."""
        if self._roster.coming is None:
            self._duties.settled(self._roster.current.wanted, failure)

    def _abandon(self, now: float, failure: Failure) -> None:
        """Have nothing more to do with the generation that was to come, and say why."""
        log.error("not reloaded, everything stays as it was: %s%s", failure.message, _below(failure.details))
        self._dismiss_coming(now)
        self._ports.abandon()
        self._settled(f"not reloaded: {failure.message}")

    def _dismiss_coming(self, now: float) -> None:
        if self._roster.coming is not None:
            for member in self._roster.of(self._roster.coming):
                self._flock.dismiss_at_once(member, now)
            self._roster.coming = None

    def _promote(self, now: float) -> None:
        """Let the new generation take over once it is ready."""
        coming = self._roster.coming
        if coming is None or self._roster.ready(coming) < coming.wanted:
            return
        former = self._roster.of(self._roster.current)
        self._roster.current, self._roster.coming = coming, None
        self._ports.adopt()
        for member in former:
            self._flock.dismiss(member, now)
        self._duties.adopted(coming.config)
        self._settled()
        log.info("reloaded")

    # Upgrading

    def _begin_upgrade(self) -> None:
        """Start a new master; we go on until it is ready."""
        if self._upgrade.pid:
            log.warning("not upgraded: a new master, %d, is starting already", self._upgrade.pid)
        elif os.getpid() == 1:
            log.error("not upgraded: this is process 1, with which a container ends: start another container")
        else:
            try:
                duties = self._duties
                self._upgrade.start(self._ports.by_address, duties.start_directory, self._inbox, duties.bequeath)
                log.info("upgrading: the new master is %d", self._upgrade.pid)
            except OSError as error:
                log.error("not upgraded: %s", error.strerror)

    def _end_upgrade(self, now: float) -> None:
        pid = self._upgrade.pid
        if self._upgrade.end():
            log.info("upgraded: process %d serves, this one leaves", pid)
            self._duties.replaced(pid)
            self._ports.hand_over()
            self._stop(now)
        else:
            log.error("not upgraded, everything stays as it was: process %d ended before it was ready", pid)
            self._upgrade.reap()

    # Stopping

    def _begin_to_stop(self, now: float) -> None:
        self._duties.stopping()
        delay = self._roster.current.config.drain_delay
        if not delay:
            self._stop(now)
            return
        log.info("stopping in %g s", delay)
        self._phase = _Phase.DRAINING
        self._stop_at = now + delay
        self._tell_all(signal.SIGUSR2)

    def _stop(self, now: float, *, at_once: bool = False) -> None:
        """Let all workers end, those that were to come as well."""
        self._duties.stopping()
        self._phase, self._stop_at = _Phase.STOPPING, math.inf
        self._upgrade.stop()
        self._ports.refuse_newcomers(self._ports.listeners)
        for member in self._flock.members:
            if at_once:
                self._flock.dismiss_at_once(member, now)
            else:
                self._flock.dismiss(member, now)
        self._ports.close()


def _below(details: str) -> str:
    return f"\n{details}" if details else ""

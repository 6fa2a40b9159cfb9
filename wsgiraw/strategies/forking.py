"""A process for each connection, a bounded number of them: the oldest concurrency, where nothing of a client stays.

A client costs a process for as long as it stays, idle or slow, until its timeout or until another client waits for a
process and this one is idle. What a child changes in memory is lost with it: counts of requests, caches, pools. It
learns of `--drain-delay` only if that began before it was forked, and ends once idle when its parent is no more.

Python 3.12 and later warn when a process that has threads forks, as is the case in `with Server(...)` and where the
application starts some on import: locks that they hold stay locked.
"""

import math
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from types import FrameType
from typing import NoReturn

from wsgiraw.net import Listener
from wsgiraw.observe import log
from wsgiraw.strategies import places
from wsgiraw.strategies.blocking import PAUSE, Exchanges
from wsgiraw.strategies.places import Wish
from wsgiraw.strategies.pulse import Pulse
from wsgiraw.strategies.service import Newcomer, Service
from wsgiraw.strategies.stop import Stop

__all__ = ["serve"]


def serve(service: Service) -> None:
    """Serve until told to stop; what the kernel has queued by then is served too."""
    wish = Wish()
    places.serve(service, _Children(service, wish), wish)


class _Children:
    """`Places`.

    Only children that have not been waited for are here, thus their numbers are still theirs; none but ours is waited
    for. No signal says that one has ended, because this may not be the main thread: its pidfd does.
    """

    def __init__(self, service: Service, wish: Wish) -> None:
        self._service = service
        self._wish = wish
        self._watched: dict[int, int] = {}
        """Children by the descriptor that is readable once they have ended."""
        self._unwatched: set[int] = set()
        """Children for which no descriptor was to be had."""
        self._number = signal.SIGTERM
        self.room = service.capacity.children
        self.taken = 0

    @property
    def glance(self) -> float:
        return PAUSE if self._unwatched else math.inf

    def ends(self) -> Iterable[int]:
        return self._watched

    def free(self, ready: set[int]) -> bool:
        ended = [pid for pid in self._unwatched if _has_ended(pid, os.WNOHANG)]
        self._unwatched.difference_update(ended)
        for descriptor in ready & self._watched.keys():
            os.close(descriptor)
            ended.append(self._watched.pop(descriptor))
            _has_ended(ended[-1])
        self.room += len(ended)
        self.taken -= len(ended)
        return bool(ended)

    def take(self, listener: Listener) -> bool:
        newcomer = self._service.accept(listener)
        if newcomer is None:
            return False
        _flush()  # or what is in the buffers would be written once by each child
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            pid = os.fork()
            if pid == 0:
                self._be_child(newcomer, mask)
        except OSError as error:
            log.error("503 to %s: cannot fork: %s", newcomer.environ["REMOTE_ADDR"], error.strerror)
            Exchanges(self._service, newcomer).refuse("no process is to be had: try again later")
            return True
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        newcomer.socket.close()
        self.room -= 1
        self.taken += 1
        try:
            self._watched[os.pidfd_open(pid)] = pid
        except (AttributeError, OSError):  # not on this system, or no descriptor is left
            self._unwatched.add(pid)
        return True

    def _be_child(self, newcomer: Newcomer, mask: set[int | signal.Signals]) -> NoReturn:
        """Serve a connection and end, without any of the parent's cleaning up. Signals are blocked so far."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)  # before what it writes to is closed
            self._service.stop.close()
            self._wish.only_grant()
            for listener in self._service.listeners:
                listener.close()
            for descriptor in self._watched:
                os.close(descriptor)
            stop = _stop_of_child()
            stop.draining = self._service.stop.draining
            if self._service.stop.requested:
                stop.request()
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            ours = replace(self._service, stop=stop, pulse=Pulse())
            Exchanges(ours, newcomer).run([self._wish.fileno()], self._wish.grant)
            status = 0
        except BaseException:
            log.exception("the connection of %s was cut", newcomer.environ["REMOTE_ADDR"] or "a client")
        finally:
            _flush()
            os._exit(status)

    def stop(self) -> None:
        self._signal(self._number)
        self._number = signal.SIGQUIT

    def leave(self) -> None:
        self._signal(signal.SIGKILL)
        for pid in (*self._watched.values(), *self._unwatched):
            _has_ended(pid)
        for descriptor in self._watched:
            os.close(descriptor)
        self._wish.close()

    def _signal(self, number: signal.Signals) -> None:
        for pid in (*self._watched.values(), *self._unwatched):
            with suppress(ProcessLookupError):  # somebody else has waited for it
                os.kill(pid, number)


def _has_ended(pid: int, options: int = 0) -> bool:
    """Return whether a child has ended, which is then no zombie any more; say so where it was not by itself."""
    try:
        ended, status = os.waitpid(pid, options)
    except ChildProcessError:  # whoever embeds us has waited for it, or ignores SIGCHLD
        return True
    if ended and os.WIFSIGNALED(status):
        log.warning("child %d was ended by signal %d", pid, os.WTERMSIG(status))
    return ended != 0


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # closed, full or None
            stream.flush()


def _stop_of_child() -> Stop:
    """Return a wish to stop that signals make; the parent keeps the time, and Ctrl-C is for him, who passes it on."""
    stop = Stop(math.inf)

    def act(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGQUIT or (number == signal.SIGTERM and not stop.requested):
            stop.request()
        if number == signal.SIGQUIT and stop.deadline == math.inf:
            stop.request()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, act)
    signal.set_wakeup_fd(stop.wakeup_descriptor, warn_on_full_buffer=False)
    return stop

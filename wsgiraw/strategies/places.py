"""A bounded number of places, each for one connection and whoever serves it: what `threaded` and `forking` share.

It accepts while there is a place, and leaves connections in the kernel's queue while there is none; those that are idle
are then asked for theirs, one for each client that waits.
"""

import math
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from wsgiraw.net import Listener, OutOfDescriptors
from wsgiraw.observe import log
from wsgiraw.strategies.blocking import PAUSE
from wsgiraw.strategies.pulse import ROOM
from wsgiraw.strategies.service import Service
from wsgiraw.strategies.wait import wait

__all__ = ["GRACE", "Places", "Wish", "serve"]

GRACE = 0.5
"""Seconds for those who have been told to drop what is in flight, before they are left or killed."""


class Wish:
    """For a place: made by the one who accepts, granted by one at most of those who hold places.

    Its descriptor is readable while the wish is open, and for ever once the one who makes wishes is no more.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.made = False

    def fileno(self) -> int:
        """Return what becomes readable."""
        return self._reader

    def make(self) -> None:
        """Ask for a place."""
        if not self.made:
            self.made = True
            os.write(self._writer, b"\0")

    def take_back(self) -> None:
        """A place has become free, whether or not for this wish."""
        if self.made:
            self.made = False
            with suppress(BlockingIOError):  # granted
                os.read(self._reader, 1)

    def grant(self) -> bool:
        """Return whether it is us who give up our place. Several threads and processes may ask at once."""
        try:
            os.read(self._reader, 1)
        except BlockingIOError:
            return False
        return True

    def only_grant(self) -> None:
        """In another process: leave making wishes to the one who accepts, so that his end is noticed."""
        os.close(self._writer)

    def close(self) -> None:
        """Give the descriptors back."""
        os.close(self._reader)
        os.close(self._writer)


class Places(Protocol):
    """Threads or processes, each of which serves a connection."""

    room: int
    """How many more there may be."""
    taken: int
    """How many there are."""

    @property
    def glance(self) -> float:
        """Seconds after which to look whether places have become free though nothing was readable."""

    def ends(self) -> Iterable[int]:
        """Return descriptors: one of them is readable once a place has become free."""

    def free(self, ready: set[int]) -> bool:
        """Take note of places that have become free; return whether there are any."""

    def take(self, listener: Listener) -> bool:
        """Accept a connection and give it a place; return whether there was one. Raises `OutOfDescriptors`."""

    def stop(self) -> None:
        """Tell each to finish what is in flight; the second time, to drop it."""

    def leave(self) -> None:
        """Be done with them, also with those who have not ended."""


def serve(service: Service, places: Places, wish: Wish) -> None:
    """Serve until told to stop, then what the kernel has queued; return once all is done or dropped."""
    try:
        _accept(service, places, wish)
        places.stop()
        _drain(service, places, wish)
        while places.taken and time.monotonic() < service.stop.deadline:
            _turn(service, places, wish, (), service.stop.deadline)
        places.stop()
        until = time.monotonic() + GRACE
        while places.taken and time.monotonic() < until:
            _turn(service, places, wish, (), until)
    finally:
        places.leave()


def _accept(service: Service, places: Places, wish: Wish) -> None:
    """Give places to whoever comes, until told to stop."""
    listeners = {listener.socket.fileno(): listener for listener in service.listeners}
    paused = -math.inf  # until when descriptors are not asked for
    service.pulse.ready()
    while not service.stop.requested:
        pausing = paused > time.monotonic()
        # A listener that nobody accepts from stays readable: it is not looked at before there is a place.
        watched = () if wish.made or pausing else listeners
        ready = _turn(service, places, wish, watched, paused if pausing else math.inf)
        for descriptor in ready & listeners.keys():
            if not places.room:
                wish.make()
                break
            try:
                places.take(listeners[descriptor])
            except OutOfDescriptors as error:
                log.warning("not accepting for %s s: %s", PAUSE, error)
                paused = time.monotonic() + PAUSE
                break


def _drain(service: Service, places: Places, wish: Wish) -> None:
    """Give places to those whom the kernel has queued, as long as there is time, and listen no longer."""
    service.refuse_newcomers()
    for listener in service.listeners:
        while time.monotonic() < service.stop.deadline:
            if places.room:
                try:
                    if not places.take(listener):
                        break
                    continue
                except OutOfDescriptors:
                    if not places.taken:  # whose end would make room
                        break
            _turn(service, places, wish, (), service.stop.deadline)
        listener.close()


def _turn(service: Service, places: Places, wish: Wish, watched: Iterable[int], until: float) -> set[int]:
    """Wait for a client, for the end of another, or for what is to be done; return what is readable."""
    stop, pulse = service.stop, service.pulse
    pulse.cells[ROOM] = 0 if stop.requested else places.room
    until = min(until, time.monotonic() + places.glance)
    ready = wait([stop.fileno(), *places.ends(), *watched], until, pulse=pulse)
    stop.acknowledge()  # readable need not mean requested; whoever requests says so before writing
    if places.free(ready):
        wish.take_back()
    return ready

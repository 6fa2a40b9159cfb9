"""A thread for each connection, a bounded number of them: the simplest concurrency.

A client costs a thread for as long as it stays, idle or slow, until its timeout or until another client waits for a
thread and this one is idle. Threads that are stuck in the application when the time to stop is up are left behind.
"""

import math
import os
import threading
from collections.abc import Iterable
from dataclasses import replace

from wsgiraw.net import Listener
from wsgiraw.observe import log
from wsgiraw.strategies import places
from wsgiraw.strategies.blocking import Exchanges
from wsgiraw.strategies.places import GRACE, Wish
from wsgiraw.strategies.pulse import Pulse
from wsgiraw.strategies.service import Newcomer, Service
from wsgiraw.strategies.stop import Stop

__all__ = ["serve"]


def serve(service: Service) -> None:
    """Serve until told to stop; what the kernel has queued by then is served too."""
    wish = Wish()
    places.serve(service, _Threads(service, wish), wish)


class _Heard(Stop):
    """The wish to stop for many who wait for it at once: none of them makes it unreadable for the others."""

    def acknowledge(self) -> None:
        """Leave it as it is: nothing but a wish to stop is written here."""


class _Threads:
    """`Places`."""

    glance = math.inf

    def __init__(self, service: Service, wish: Wish) -> None:
        self._service = service
        self._wish = wish
        self._heard = _Heard(math.inf)  # the accepting thread keeps the time
        self._theirs = replace(service, stop=self._heard, pulse=Pulse())
        self._ended, self._ending = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        """Where each thread, as its last act, writes an octet."""
        self._threads: set[threading.Thread] = set()
        self.room = service.capacity.threads
        self.taken = 0

    def ends(self) -> Iterable[int]:
        return (self._ended,)

    def free(self, ready: set[int]) -> bool:
        self._heard.draining = self._service.stop.draining  # wakes nobody: each ends with its next response
        if self._ended not in ready:
            return False
        count = len(os.read(self._ended, 4096))
        self.room += count
        self.taken -= count
        return True

    def take(self, listener: Listener) -> bool:
        newcomer = self._service.accept(listener)
        if newcomer is None:
            return False
        thread = threading.Thread(target=self._run, args=(newcomer,), name="wsgiraw-connection", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            log.error("503 to %s: %s", newcomer.environ["REMOTE_ADDR"], error)
            Exchanges(self._service, newcomer).refuse("no thread is to be had: try again later")
            return True
        self.room -= 1
        self.taken += 1
        self._threads = {thread, *filter(threading.Thread.is_alive, self._threads)}
        return True

    def _run(self, newcomer: Newcomer) -> None:
        try:
            Exchanges(self._theirs, newcomer).run([self._wish.fileno()], self._wish.grant)
        except BaseException:  # KeyboardInterrupt, raised by the application, is no operator's wish here
            log.exception("the connection of %s was cut", newcomer.environ["REMOTE_ADDR"] or "a client")
        finally:
            os.write(self._ending, b"\0")

    def stop(self) -> None:
        self._heard.request()

    def leave(self) -> None:
        self._heard.request()  # where serving failed, it has not been asked for
        if self.taken:
            log.warning("threads that are stuck in the application and left behind: %d", self.taken)
            return  # the descriptors are still theirs
        for thread in self._threads:
            thread.join(GRACE)  # it has said that it has ended
        self._heard.close()
        self._wish.close()
        os.close(self._ended)
        os.close(self._ending)

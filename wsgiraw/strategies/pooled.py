"""A loop that keeps idle and half-arrived connections, and threads that run the application: waitress's shape.

Only a complete request gets a thread, so a slow client holds none. Each request costs two hand-overs between threads.
"""

from wsgiraw.strategies.channel import Channel
from wsgiraw.strategies.crew import Crew, Member
from wsgiraw.strategies.loop import EventLoop
from wsgiraw.strategies.service import Service

__all__ = ["serve"]


def serve(service: Service) -> None:
    """Serve until told to stop; return once what was in flight is done or its time is up."""
    _Pooled(service).run()


class _Pooled:
    """Every request goes to a thread; the loop stays where it is."""

    def __init__(self, service: Service) -> None:
        self._stop = service.stop
        self._pulse = service.pulse
        self._loop = EventLoop(service, self)
        self._crew = Crew(service, self._loop, service.capacity.threads, self._drop_everything)

    def run(self) -> None:
        try:
            self._crew.start()
            self._pulse.ready()
            self._loop.run()
        finally:
            self._loop.close(self._crew.halt())
            self._crew.join()
        if self._crew.failure is not None:
            raise self._crew.failure

    def _drop_everything(self, me: Member) -> None:
        self._stop.request()
        self._stop.request()

    def answer(self, channel: Channel) -> bool:
        self._crew.give(channel)
        return False

    def relieved(self) -> bool:
        return False

    def withdraw(self, channel: Channel) -> bool:
        return self._crew.withdraw(channel)

    def room(self) -> int:
        return len(self._crew.parked)

    def notice(self) -> None:
        pass

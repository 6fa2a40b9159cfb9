"""One thread, no socket blocks, the application runs inline: bjoern's shape.

A slow application stops everybody; a slow client stops nobody.
"""

from wsgiraw.strategies.channel import Channel
from wsgiraw.strategies.exchange import advance
from wsgiraw.strategies.loop import EventLoop
from wsgiraw.strategies.service import Service

__all__ = ["serve"]


def serve(service: Service) -> None:
    """Serve until told to stop; return once what was in flight is done or its time is up."""
    loop = _Inline(service).loop
    try:
        service.pulse.ready()
        loop.run()
    finally:
        loop.close()


class _Inline:
    """Runs the application right where the loop is."""

    def __init__(self, service: Service) -> None:
        self.loop = EventLoop(service, self)

    def answer(self, channel: Channel) -> bool:
        loop = self.loop
        loop.settle(channel, advance(channel, loop.gateway, loop.persists))
        return False

    def relieved(self) -> bool:
        return False

    def withdraw(self, channel: Channel) -> bool:
        return False

    def room(self) -> int:
        return 1

    def notice(self) -> None:
        pass

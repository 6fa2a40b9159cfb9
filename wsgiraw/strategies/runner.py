"""What a loop asks of whoever runs the application for it: `eventloop`, `pooled` and `handoff` differ in this alone."""

from typing import Protocol

from wsgiraw.strategies.channel import Channel, Next

__all__ = ["Returned", "Runner"]

Returned = tuple[Channel, Next]
"""A channel that was away, and what comes next for it."""


class Runner(Protocol):
    """Runs the application for a loop."""

    def answer(self, channel: Channel) -> bool:
        """See to it that a request or response goes on; return whether the loop has been taken meanwhile."""

    def relieved(self) -> bool:
        """Asked after channels have come back: return whether another thread has been given the loop."""

    def withdraw(self, channel: Channel) -> bool:
        """Take back a channel that is away; return False where it is being answered already."""

    def room(self) -> int:
        """Return how many more requests could be run right now."""

    def notice(self) -> None:
        """Something was posted to `Stop`, perhaps by a signal whose handler has not run yet."""

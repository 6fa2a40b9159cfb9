"""Which workers there are and which there should be: pure decisions, which master.py carries out.

A worker that is to be replaced goes on until there is one more that is ready: so there are never fewer than wanted, and
never more than one is replaced at a time.
"""

from collections.abc import Callable, Sequence

from wsgiraw.config import Config
from wsgiraw.net import Listener
from wsgiraw.strategies.prefork.flock import Generation, Member

__all__ = ["Roster"]


class Roster:
    """The generation that serves, the one that is to take its place, and how many workers each has."""

    def __init__(self, members: Sequence[Member], config: Config, listeners: Sequence[Listener]) -> None:
        """`members` is the list that the flock keeps."""
        self._members = members
        self._count = 1
        self.current = Generation(1, config, listeners, config.workers)
        self.coming: Generation | None = None
        """Takes the place of the current one once all of it is ready."""

    def generations(self) -> list[Generation]:
        """Return those that serve or will."""
        return [self.current] if self.coming is None else [self.current, self.coming]

    def expect(self, config: Config, listeners: Sequence[Listener]) -> None:
        """Let a new generation come."""
        self._count += 1
        self.coming = Generation(self._count, config, listeners, config.workers)

    def resize(self, change: Callable[[int], int]) -> None:
        """Want another number of workers."""
        for generation in self.generations():
            generation.wanted = change(generation.wanted)

    def of(self, generation: Generation) -> list[Member]:
        """Return the members of a generation that have not been told to stop."""
        return [member for member in self._members if member.generation is generation and not member.leaving]

    def ready(self, generation: Generation) -> int:
        """Return how many of a generation are ready."""
        return sum(member.ready is not None for member in self.of(generation))

    def missing(self) -> list[Generation]:
        """Return the generation of each worker that should be there and is not."""
        missing: list[Generation] = []
        for generation in self.generations():
            wanted = generation.wanted + (generation.wanted > 0 and self._retiring(generation) is not None)
            missing += [generation] * (wanted - len(self.of(generation)))
        return missing

    def surplus(self) -> list[Member]:
        """Return those who can go: one whose successor is ready, or as many as there are too many."""
        surplus: list[Member] = []
        for generation in self.generations():
            members, retiring = self.of(generation), self._retiring(generation)
            if generation.wanted and retiring is not None:
                if self.ready(generation) > generation.wanted:
                    surplus.append(retiring)
            elif len(members) > generation.wanted:
                members.sort(key=lambda member: member.ready is not None)  # first who is not ready, then the oldest
                surplus += members[: len(members) - generation.wanted]
        return surplus

    def _retiring(self, generation: Generation) -> Member | None:
        return next((member for member in self.of(generation) if member.retires), None)

    def oldest_replacement(self, since: float) -> float | None:
        """Return when the oldest worker became ready that was started after `since`."""
        readied = [member.ready for member in self._members if member.ready is not None and member.started > since]
        return min(readied, default=None)

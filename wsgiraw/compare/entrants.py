"""The servers of one comparison: each with the application that it is to run, and how it is started."""

import dataclasses
from collections.abc import Sequence
from contextlib import AbstractContextManager

from wsgiraw.compare.loopback import HOST
from wsgiraw.compare.plan import Plan
from wsgiraw.compare.requests import Wanted
from wsgiraw.compare.results import Finding, Round, ServerResult
from wsgiraw.compare.servers.peers import Peer
from wsgiraw.compare.servers.process import Running, running
from wsgiraw.compare.servers.specification import environment, specification
from wsgiraw.errors import ConfigError

__all__ = ["Entrant", "enter"]


@dataclasses.dataclass(slots=True)
class Entrant:
    """A server and what has been found of it so far."""

    peer: Peer
    version: str
    application: str
    variables: dict[str, str]
    """What the application needs of its environment."""
    workers: int
    threads: int
    cores: set[int] | None
    ready: Wanted
    """The server is ready once it answers this."""
    state: str = "measured"
    note: str = ""
    rounds: list[Round] = dataclasses.field(default_factory=list)
    behaviour: list[Finding] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        """As it was asked for."""
        return self.peer.name

    @property
    def runs(self) -> bool:
        """Nothing has been in its way."""
        return self.state == "measured"

    def give_up(self, state: str, note: str) -> None:
        """Measure it no further."""
        self.state, self.note = state, note

    def remark(self, note: str) -> None:
        """Say something of it that does not keep it from being measured."""
        if self.runs:
            self.note = "; ".join(filter(None, (self.note, note)))

    def start(self) -> AbstractContextManager[Running]:
        """Start it on a free port. Raises ServerFailed."""
        return running(
            self._command,
            self.ready.octets(HOST, keep_alive=False),
            self.cores,
            environment=environment(self.variables),
        )

    def result(self) -> ServerResult:
        """Return all that was found."""
        return ServerResult(
            name=self.name,
            version=self.version,
            command=self._command(8000) if self.version else [],
            shape=self.peer.shape(self.workers, self.threads),
            state=self.state,
            note=self.note,
            rounds=self.rounds,
            behaviour=self.behaviour,
        )

    def _command(self, port: int) -> list[str]:
        return self.peer.command(self.application, port, self.workers, self.threads)


def enter(peers: Sequence[Peer], application: str, ready: Wanted, plan: Plan, cores: set[int] | None) -> list[Entrant]:
    """Return all servers, also those that are absent. Raises ConfigError where all are, or for no application."""
    named, variables = specification([application])
    entrants = []
    for peer in peers:
        version = peer.version()
        entrant = Entrant(peer, version or "", named, variables, plan.workers, plan.threads, cores, ready)
        if version is None:
            entrant.give_up("absent", peer.pip)
        entrants.append(entrant)
    if not any(entrant.runs for entrant in entrants):
        missing = ", ".join(entrant.note for entrant in entrants)
        raise ConfigError(f"none of these servers is installed: {missing}")
    return entrants

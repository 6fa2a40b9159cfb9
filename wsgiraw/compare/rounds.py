"""Measures: agreement, a first look, behaviour, then rounds in which every server is started, in shuffled order.

A server is started anew for each round, so that what differs from start to start (hash seeds, where memory lies) is in
the spread, and nobody runs while another is measured. In a round it is warmed up, then asked as fast as it answers,
then at steady rates. It judges nothing and prints nothing.
"""

import math
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from wsgiraw.compare import behaviour
from wsgiraw.compare.agreement import Agreement, Expected, agree
from wsgiraw.compare.entrants import Entrant
from wsgiraw.compare.generator import GeneratorFailed, Question, closed_loop, open_loop
from wsgiraw.compare.generator.external import external_loop
from wsgiraw.compare.plan import Plan
from wsgiraw.compare.progress import Progress
from wsgiraw.compare.requests import Wanted
from wsgiraw.compare.results import Load, Round
from wsgiraw.compare.servers.command_lines import HOST
from wsgiraw.compare.servers.process import Running, ServerFailed
from wsgiraw.compare.servers.usage import PeakPss, cpu_seconds
from wsgiraw.errors import ConfigError

__all__ = ["Measurement", "check_behaviour", "steps"]

_FIRST_LOOK = 0.3
"""Seconds of load that say how fast a server is, more or less."""
_SHARE = 0.5
"""Of what the slowest server can do, requests per second for latency."""
_OF_CEILING = 0.3
"""And at most of what the generator can do, so that it keeps its times."""


def steps(plan: Plan, servers: int, applications: int) -> int:
    """Return how many servers are going to be started, more or less."""
    measured = 0 if plan.behaviour else applications * (2 + plan.rounds)
    return servers * (1 + measured)


def check_behaviour(entrants: Sequence[Entrant], progress: Progress) -> None:
    """Look at how each server behaves."""
    for entrant in entrants:
        progress.step(f"{entrant.name}: behaviour")
        try:
            behaviour.check(entrant.start, found=entrant.behaviour.append)
        except ServerFailed as error:
            entrant.give_up("failed", str(error))


class Measurement:
    """One application under its servers."""

    def __init__(
        self,
        plan: Plan,
        requests: Sequence[Wanted],
        entrants: Sequence[Entrant],
        cores: set[int] | None,
        ceiling: float,
        progress: Progress,
    ) -> None:
        """`cores` are the generator's, `ceiling` is what it can do: requests per second."""
        self._plan = plan
        self._requests = requests
        self._entrants = entrants
        self._cores = cores
        self._ceiling = ceiling
        self._progress = progress
        self._order = random.Random(plan.seed)
        self._expected: list[Expected] = []
        self.remarks: list[str] = []
        """What to say of the requests."""

    def run(self) -> None:
        """Measure everything; what goes wrong with a server is noted with it. Raises ConfigError.

        It does so where the application itself answers nothing that could be compared.
        """
        self._agree()
        rates = self._rates()
        for number in range(1, self._plan.rounds + 1):
            for entrant in self._shuffled():
                self._progress.step(f"round {number}: {entrant.name}")
                with _noting_failure(entrant), entrant.start() as server:
                    entrant.rounds.append(self._round(server, rates))

    def _shuffled(self) -> list[Entrant]:
        running = [entrant for entrant in self._entrants if entrant.runs]
        return self._order.sample(running, len(running))

    def _agree(self) -> None:
        """Have all servers answer all requests, and leave those out that answer otherwise."""
        starts = {entrant.name: entrant.start for entrant in self._entrants if entrant.runs}
        found: Agreement = agree(
            self._requests, starts, lambda name: self._progress.step(f"{name}: does it answer alike?")
        )
        by_name = {entrant.name: entrant for entrant in self._entrants}
        for state, faults in (("failed", found.failed), ("different", found.different)):
            for name, fault in faults.items():
                by_name[name].give_up(state, fault)
        for name, note in found.notes.items():
            if by_name[name].runs:
                by_name[name].note = note
        if not found.expected:
            first = next(iter(found.failed.items()), ("", "no server was started"))
            raise ConfigError(f"no server runs the application; {first[0]}: {first[1]}")
        for wanted, expected in zip(self._requests, found.expected, strict=True):
            if expected.status >= 500:
                raise ConfigError(
                    f"the application answers {wanted.shown} with {expected.status}: mend it, or choose another request"
                )
        self._expected = found.expected
        self.remarks = found.remarks

    def _rates(self) -> list[float]:
        """Return the rates for latency: those that were asked for, or one that every server can bear."""
        if self._plan.rates:
            return [float(rate) for rate in self._plan.rates]
        speeds = []
        for entrant in self._shuffled():
            self._progress.step(f"{entrant.name}: a first look")
            with _noting_failure(entrant), entrant.start() as server:
                load = self._load(server, _FIRST_LOOK)
                if load.answered and not load.errors:
                    speeds.append(load.answered / load.seconds)
        if not speeds:
            return []
        most = min(min(speeds) * _SHARE, self._ceiling * _OF_CEILING)
        digits = 1 - math.floor(math.log10(most))
        return [max(1.0, round(most, digits))]

    def _round(self, server: Running, rates: Sequence[float]) -> Round:
        plan = self._plan
        if plan.warm_up:
            self._load(server, plan.warm_up)
        before = cpu_seconds(server.pids())
        with PeakPss(server.pids) as peak:
            load = self._capacity(server)
            cpu = cpu_seconds(server.pids()) - before
        stalled = [(min(rates), plan.stalled)] if rates and plan.stalled else []
        latency = [
            open_loop(
                server.port,
                self._questions(server),
                rate,
                connections=plan.connections,
                seconds=plan.duration,
                patience=plan.patience,
                stalled=clients,
                cores=self._cores,
            )
            for rate, clients in [*((rate, 0) for rate in rates), *stalled]
        ]
        return Round(load=load, cpu=cpu, peak_pss=peak.bytes, latency=latency)

    def _capacity(self, server: Running) -> Load:
        plan = self._plan
        if plan.generator == "builtin":
            return self._load(server, plan.duration)
        return external_loop(
            plan.generator,
            server.port,
            self._questions(server),
            connections=plan.connections,
            seconds=plan.duration,
            cores=self._cores,
        )

    def _load(self, server: Running, seconds: float) -> Load:
        return closed_loop(
            server.port,
            self._questions(server),
            connections=self._plan.connections,
            seconds=seconds,
            patience=self._plan.patience,
            cores=self._cores,
        )

    def _questions(self, server: Running) -> list[Question]:
        host = f"{HOST}:{server.port}"
        return [
            Question(wanted.variants(host, keep_alive=not self._plan.close), expected.status, expected.body)
            for wanted, expected in zip(self._requests, self._expected, strict=True)
        ]


@contextmanager
def _noting_failure(entrant: Entrant) -> Iterator[None]:
    try:
        yield
    except (ServerFailed, GeneratorFailed) as error:
        entrant.give_up("failed", str(error))

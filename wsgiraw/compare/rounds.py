"""Measures: whether all agree, with a first look at how fast they are; then rounds in which each server is started.

A server is started anew for each round, in shuffled order, so that what differs from start to start (hash seeds, where
memory lies) is in the spread, and nobody runs while another is measured. In a round it is warmed up, then asked as fast
as it answers, then at steady rates. It judges nothing and prints nothing.
"""

import math
import random
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from wsgiraw.compare import behaviour
from wsgiraw.compare.agreement import Agreement, Answers, Expected, agree
from wsgiraw.compare.entrants import Entrant
from wsgiraw.compare.generator import Generator, GeneratorFailed, Question, generator
from wsgiraw.compare.generator.external import BUILT_IN, external_loop
from wsgiraw.compare.loopback import HOST
from wsgiraw.compare.plan import Plan
from wsgiraw.compare.progress import Progress
from wsgiraw.compare.requests import Wanted
from wsgiraw.compare.results import Load, Round
from wsgiraw.compare.servers.process import Running, ServerFailed
from wsgiraw.compare.servers.usage import PeakPss, cpu_seconds
from wsgiraw.errors import ConfigError

__all__ = ["Measurement", "check_behaviour", "rate", "steps"]

_FIRST_LOOK = 0.3
"""Seconds of load that say how fast a server is, more or less."""
_SHARE = 0.5
"""Of what the slowest server can do, requests per second for latency."""
_OF_MOST = 0.1
"""But no less of what half of them can do: a percentile needs requests, and who is so far behind is seen to be."""
_OF_CEILING = 0.3
"""And at most of what the generator can do, so that it keeps its times."""


def steps(plan: Plan, servers: int, applications: int) -> int:
    """Return how many servers are going to be started, more or less."""
    measured = 0 if plan.behaviour else applications * (1 + plan.rounds)
    return servers * (1 + measured)


def check_behaviour(entrants: Sequence[Entrant], patience: float, progress: Progress) -> None:
    """Look at how each server behaves."""
    for entrant in entrants:
        progress.step(f"behaviour: {entrant.name}")
        try:
            behaviour.check(entrant.start, patience=patience, found=entrant.behaviour.append)
        except ServerFailed as error:
            entrant.give_up("failed", str(error))


class Measurement:
    """One application under its servers: first `agree`, then `run`."""

    def __init__(
        self,
        application: str,
        requests: Sequence[Wanted],
        entrants: Sequence[Entrant],
        plan: Plan,
        cores: set[int] | None,
        ceiling: float,
        progress: Progress,
    ) -> None:
        """`cores` are the generator's, `ceiling` is what it can do: requests per second."""
        self.application = application
        self.requests = requests
        self.entrants = entrants
        self.remarks: list[str] = []
        """What to say of the requests."""
        self._plan = plan
        self._cores = cores
        self._ceiling = ceiling
        self._progress = progress
        self._order = random.Random(plan.seed)
        self._expected: list[Expected] = []
        self._rates = [float(rate) for rate in plan.rates]

    def agree(self) -> None:
        """Have all servers answer all requests, leave those out that answer otherwise, and choose the rates.

        Raises ConfigError where the application itself answers nothing that could be compared.
        """
        by_name = {entrant.name: entrant for entrant in self.entrants}
        speeds: dict[str, float] = {}
        current = ""

        def began(name: str) -> None:
            nonlocal current
            current = name
            self._progress.step(f"{self.application}, answers: {name}")

        def asked(server: Running, answers: Answers) -> None:
            if not self._rates and (speed := self._speed(server, answers)):
                speeds[current] = speed

        found = agree(self.requests, {name: one.start for name, one in by_name.items() if one.runs}, began, asked)
        for state, faults in (("failed", found.failed), ("different", found.different)):
            for name, fault in faults.items():
                by_name[name].give_up(state, fault)
        for name, note in found.notes.items():
            by_name[name].remark(note)
        self._refuse_what_fails(found)
        self._expected = found.expected
        self.remarks = found.remarks
        comparable = [speed for name, speed in speeds.items() if by_name[name].runs]
        if comparable:
            self._rates = [rate(comparable, self._ceiling)]
        elif not self._rates:
            self.remarks.append("no latency was measured, as all had errors in a first look: give --rates, such as 10")

    def run(self) -> None:
        """Measure; what goes wrong with a server is noted with it."""
        for number in range(1, self._plan.rounds + 1):
            running = [entrant for entrant in self.entrants if entrant.runs]
            for entrant in self._order.sample(running, len(running)):
                self._progress.step(f"{self.application}, round {number}: {entrant.name}")
                # The generator starts on its core while the server does on others.
                with _noting_failure(entrant), generator(self._cores) as load, entrant.start() as server:
                    entrant.rounds.append(self._round(server, load))

    def _refuse_what_fails(self, found: Agreement) -> None:
        expected = found.expected
        if not expected:
            name, fault = next(iter(found.failed.items()))
            raise ConfigError(f"no server runs {self.application}; {name}: {fault}")
        for wanted, answer in zip(self.requests, expected, strict=True):
            if answer.status >= 500:
                raise ConfigError(
                    f"{self.application} answers {wanted.shown} with {answer.status} under all servers: mend it, or "
                    "choose another request"
                )
        if not any(entrant.runs for entrant in self.entrants):
            name, difference = next(iter(found.different.items()))
            raise ConfigError(f"no server answers {self.application} as expected; {name}: {difference}")

    def _speed(self, server: Running, answers: Answers) -> float:
        """Return how many requests per second a server answers as it did before, 0 where it does not answer all."""
        variants = [self._variants(wanted, server) for wanted in self.requests]
        questions = [Question(sent, own[-1].status) for sent, own in zip(variants, answers, strict=True)]
        try:
            with generator(self._cores) as load:
                seen = self._closed(load, server, questions, _FIRST_LOOK)
        except GeneratorFailed:
            return 0.0
        return 0.0 if seen.errors else seen.answered / seen.seconds

    def _round(self, server: Running, load: Generator) -> Round:
        plan, rates = self._plan, self._rates
        questions = [
            Question(self._variants(wanted, server), answer.status, answer.body)
            for wanted, answer in zip(self.requests, self._expected, strict=True)
        ]
        if plan.warm_up:
            self._closed(load, server, questions, plan.warm_up)
        before = cpu_seconds(server.pids())
        with PeakPss(server.pids) as peak:
            capacity = self._capacity(load, server, questions)
            cpu = cpu_seconds(server.pids()) - before
        beside = [(min(rates), plan.stalled)] if rates and plan.stalled else []
        latency = [
            load.open_loop(
                server.port,
                questions,
                rate,
                connections=plan.connections,
                seconds=plan.duration,
                patience=plan.patience,
                stalled=stalled,
            )
            for rate, stalled in [*((rate, 0) for rate in rates), *beside]
        ]
        return Round(load=capacity, cpu=cpu, peak_pss=peak.bytes, latency=latency)

    def _capacity(self, load: Generator, server: Running, questions: Sequence[Question]) -> Load:
        plan = self._plan
        if plan.generator == BUILT_IN:
            return self._closed(load, server, questions, plan.duration)
        return external_loop(
            plan.generator,
            server.port,
            questions,
            connections=plan.connections,
            seconds=plan.duration,
            cores=self._cores,
        )

    def _closed(self, load: Generator, server: Running, questions: Sequence[Question], seconds: float) -> Load:
        plan = self._plan
        return load.closed_loop(
            server.port, questions, connections=plan.connections, seconds=seconds, patience=plan.patience
        )

    def _variants(self, wanted: Wanted, server: Running) -> list[bytes]:
        return wanted.variants(f"{HOST}:{server.port}", keep_alive=not self._plan.close)


def rate(speeds: Sequence[float], ceiling: float) -> float:
    """Return requests per second that all can bear, or all but those far behind the others: two digits that count."""
    most = max(min(speeds) * _SHARE, statistics.median(speeds) * _OF_MOST)
    rate = min(most, ceiling * _OF_CEILING)
    return max(1.0, round(rate, 1 - math.floor(math.log10(rate))))


@contextmanager
def _noting_failure(entrant: Entrant) -> Iterator[None]:
    try:
        yield
    except (ServerFailed, GeneratorFailed) as error:
        entrant.give_up("failed", str(error))

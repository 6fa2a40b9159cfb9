"""Who is ahead of whom under one application, and who is not ranked and why. It judges; `report` shows it.

Servers are ranked by answers per second. Whoever is not clearly slower than the first of a rank shares it. A server
that answers wrongly, not at all, or otherwise than the others is never ranked, however fast it does so.

Where the generator was busy all the time, or nearly as fast as against a constant responder, it measured itself: such a
server could answer more than is shown. They are ahead of the others, and among themselves ranked by CPU per request.
"""

import dataclasses
import itertools
import math
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence

from wsgiraw.compare.percentiles import percentile
from wsgiraw.compare.results import Comparison, Round, ServerResult
from wsgiraw.compare.statistics import Ratio, Spread, paired, spread

__all__ = [
    "TOLERATED",
    "Distribution",
    "Standing",
    "answers_per_second",
    "error_share",
    "judge",
    "microseconds",
    "reference",
]

TOLERATED = 0.001
"""Share of errors that ranks a server as without them: a connection or two that broke are no verdict."""
BUSY = 0.9
"""Share of its core, and of its ceiling, from which on the generator is what limits."""

_REASONS = {
    "absent": "not installed",
    "different": "answers otherwise than the others",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Latency at one rate beside so many stalled clients, all rounds together."""

    rate: float
    stalled: int
    histogram: dict[int, int]
    missing: int
    """Requests that got no right answer."""

    def percentile(self, percent: float) -> float:
        """Return microseconds, infinite where so many got no right answer."""
        return percentile(self.histogram, percent, self.missing)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A server, what was measured of it, and its place."""

    server: ServerResult
    rank: int | None
    reason: str
    """Why it has no rank; empty where it has one."""
    bound: bool
    """The generator was the limit: it answers at least so many."""
    is_reference: bool
    throughput: Spread | None
    """Right answers per second."""
    cpu: Spread | None
    """Microseconds per right answer."""
    reuse: Spread | None
    """Right answers per connection."""
    peak: Spread | None
    """Octets."""
    ratio: Ratio | None
    """Throughput to that of the reference."""
    latency: list[Distribution]
    errors: Counter[str]
    """Of all rounds, but for those beside stalled clients, which are in `latency`."""


def reference(servers: Sequence[ServerResult]) -> ServerResult | None:
    """Return whom the others are compared with: wsgiraw, else the first that was measured."""
    measured = [server for server in servers if server.rounds]
    return next((server for server in measured if server.name == "wsgiraw"), measured[0] if measured else None)


def judge(comparison: Comparison, ceiling: float) -> list[Standing]:
    """Return all servers: the ranked in order, then those that were measured and are not ranked, then the others.

    `ceiling` is requests per second that the generator reaches at best; 0: nobody knows.
    """
    yardstick = reference(comparison.servers)
    standings = [_standing(server, yardstick, ceiling) for server in comparison.servers]
    contenders = [standing for standing in standings if not standing.reason]
    bound = sorted(
        (standing for standing in contenders if standing.bound), key=lambda it: it.cpu.median if it.cpu else 0
    )
    others = [standing for standing in contenders if not standing.bound]
    others.sort(key=lambda it: it.throughput.median if it.throughput else 0, reverse=True)
    ranked = [*_ranked(bound, 1), *_ranked(others, len(bound) + 1)]
    rest = [standing for standing in standings if standing.reason]
    return ranked + sorted(rest, key=lambda it: (not it.server.rounds, it.server.state == "absent"))


def answers_per_second(server: ServerResult) -> list[float]:
    """Return throughput, round by round."""
    return [one.load.answered / one.load.seconds if one.load.seconds else 0.0 for one in server.rounds]


def microseconds(server: ServerResult) -> list[float]:
    """Return CPU per right answer, round by round; infinite where there was none."""
    loads = ((one.cpu, one.load.answered + one.load.late) for one in server.rounds)
    return [cpu * 1e6 / answered if answered else math.inf for cpu, answered in loads]


def error_share(server: ServerResult) -> float:
    """Return which share of requests went wrong in the worst round."""
    counted = map(_errors, server.rounds)
    return max((errors.total() / attempts for errors, attempts in counted if attempts), default=0.0)


def _standing(server: ServerResult, yardstick: ServerResult | None, ceiling: float) -> Standing:
    speeds = answers_per_second(server)
    return Standing(
        server=server,
        rank=None,
        reason=_reason(server),
        bound=_bound(server, speeds, ceiling),
        is_reference=server is yardstick,
        throughput=spread(speeds),
        cpu=spread([value for value in microseconds(server) if value != math.inf]),
        reuse=spread([one.load.answered / one.load.connections for one in server.rounds if one.load.connections]),
        peak=spread([one.peak_pss for one in server.rounds]),
        ratio=paired(speeds, answers_per_second(yardstick)) if yardstick else None,
        latency=_distributions(server),
        errors=Counter(error for errors, _ in map(_errors, server.rounds) for error in errors.elements()),
    )


def _reason(server: ServerResult) -> str:
    """Why it cannot be ranked, in a few words; `note` of the server says more. Empty where it can."""
    if server.state != "measured":
        return _REASONS.get(server.state, server.state)
    if not any(one.load.answered for one in server.rounds):
        return "no right answer" if server.rounds else "not measured"
    worst = error_share(server)
    return f"errors: {100 * worst:.3g} % of a round" if worst > TOLERATED else ""


def _errors(one: Round) -> tuple[Counter[str], int]:
    """Return what went wrong in a round, and of how many requests. Beside stalled clients it is a matter of latency."""
    errors = Counter(one.load.errors)
    attempts = one.load.answered + errors.total()
    for latency in one.latency:
        if not latency.stalled:
            errors.update(latency.errors)
            attempts += latency.answered + sum(latency.errors.values())
    return errors, attempts


def _bound(server: ServerResult, speeds: Sequence[float], ceiling: float) -> bool:
    if not server.rounds:
        return False
    busy = statistics.median(one.load.generator_busy for one in server.rounds)
    return busy > BUSY or (ceiling > 0 and statistics.median(speeds) > BUSY * ceiling)


def _distributions(server: ServerResult) -> list[Distribution]:
    """Return what all rounds saw together, by rate, without stalled clients first."""
    merged: dict[tuple[int, float], tuple[Counter[int], int]] = {}
    for latency in itertools.chain.from_iterable(one.latency for one in server.rounds):
        counts, missing = merged.get((latency.stalled, latency.rate), (Counter(), 0))
        missing += max(latency.sent - latency.answered, sum(latency.errors.values()))
        merged[latency.stalled, latency.rate] = counts + Counter(latency.histogram), missing
    return [
        Distribution(rate=rate, stalled=stalled, histogram=dict(counts), missing=missing)
        for (stalled, rate), (counts, missing) in sorted(merged.items())
    ]


def _ranked(ordered: Sequence[Standing], first: int) -> Iterator[Standing]:
    """Give ranks to servers in their order: 1, 1, 3 where the second is not clearly behind the first."""
    leader, rank = None, first
    for place, standing in enumerate(ordered, start=first):
        if leader is None or _behind(standing, leader):
            leader, rank = standing, place
        yield dataclasses.replace(standing, rank=rank)


def _behind(standing: Standing, leader: Standing) -> bool:
    if standing.bound:
        ratio = paired(microseconds(standing.server), microseconds(leader.server))
        return ratio is not None and ratio.above
    ratio = paired(answers_per_second(standing.server), answers_per_second(leader.server))
    return ratio is not None and ratio.below

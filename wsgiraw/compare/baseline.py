"""Whether we have become slower than a baseline that was saved earlier: for CI. It prints nothing and exits nowhere.

Only the rows of wsgiraw count, as those are what a change of ours can make slower; if none of them are in both, all
rows that are. Slower means fewer answers per second, or more CPU per request. Rounds of different runs do not belong to
each other, so the interval is that of two independent samples, and only an interval that lies wholly beyond the
tolerance is a failure: what might be noise is a warning, and more rounds will tell.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wsgiraw.compare.ranking import TOLERATED, answers_per_second, error_share, microseconds
from wsgiraw.compare.report.words import clean
from wsgiraw.compare.results import Comparison, Results, ServerResult
from wsgiraw.compare.statistics import Ratio, unpaired
from wsgiraw.errors import ConfigError

__all__ = ["Verdict", "against", "tolerance"]

_OF_THE_MACHINE = ("cpu", "cores", "kernel", "python", "pinning")
_OF_THE_PLAN = ("workers", "threads", "connections", "close", "duration", "warm_up", "generator", "rates", "stalled")

_SAYS_NOTHING = 25.0
"""From which factor on, between both ends of an interval, it is not worth showing."""


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What the comparison with a baseline has found, a line each."""

    failures: list[str]
    """Clearly slower: the exit code is 1 if there are any."""
    warnings: list[str]
    """Why the rest is to be taken with caution."""
    compared: list[str]
    """What was looked at and how it is to the baseline."""


def tolerance(text: str) -> float:
    """Return `10%`, or `10`, as 0.1. Raises ConfigError."""
    try:
        share = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise ConfigError(f"{text!r} is not how much slower it may be: give a percentage below 100, such as 10%")
    return share


def against(results: Results, baseline: Results, allowed: float) -> Verdict:
    """Compare with a baseline; `allowed` is the share it may be slower by. Raises ConfigError: nothing is in both."""
    verdict = Verdict([], list(_other_circumstances(results, baseline)), [])
    pairs = list(_pairs(results, baseline, verdict.warnings))
    ours = [pair for pair in pairs if pair[1].name.partition("#")[0].partition("-")[0] == "wsgiraw"]
    if not pairs:
        raise ConfigError(
            "the baseline has no server under the same application with the same requests: save a new one with --save"
        )
    for application, now, before in ours or pairs:
        _judge(f"{clean(now.name)} ({clean(application)})", now, before, allowed, verdict)
    return verdict


def _pairs(
    results: Results, baseline: Results, warnings: list[str]
) -> Iterator[tuple[str, ServerResult, ServerResult]]:
    """Yield what both have, and was measured then."""
    formerly = {comparison.application: comparison for comparison in baseline.comparisons}
    for comparison in results.comparisons:
        former = formerly.get(comparison.application)
        if former is None:
            warnings.append(f"{clean(comparison.application)} is not in the baseline")
        elif former.requests != comparison.requests:
            warnings.append(f"{clean(comparison.application)} had other requests in the baseline: not compared")
        else:
            yield from _servers(comparison, former)


def _servers(comparison: Comparison, former: Comparison) -> Iterator[tuple[str, ServerResult, ServerResult]]:
    before = {server.name: server for server in former.servers if server.state == "measured" and server.rounds}
    for server in comparison.servers:
        if server.name in before and server.state != "absent":
            yield comparison.application, server, before[server.name]


def _other_circumstances(results: Results, baseline: Results) -> Iterator[str]:
    yield from _differing("machine", _OF_THE_MACHINE, results.machine, baseline.machine)
    yield from _differing("plan", _OF_THE_PLAN, results.plan, baseline.plan)


def _differing(what: str, names: Sequence[str], now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[str]:
    for name in names:
        # What was saved as a tuple comes back as a list.
        mine, theirs = (
            list(value) if isinstance(value, tuple) else value for value in (now.get(name), before.get(name))
        )
        if mine != theirs:
            yield clean(f"the baseline is of another {what}: {name} was {theirs!r}, now {mine!r}")


def _judge(what: str, now: ServerResult, before: ServerResult, allowed: float, verdict: Verdict) -> None:
    if now.state != "measured" or not now.rounds:
        verdict.failures.append(f"{what} was measured in the baseline, now: {clean(now.note or now.state)}")
        return
    share = error_share(now)
    if share > TOLERATED:
        verdict.failures.append(f"{what}: {100 * share:.3g} % of the requests of a round got errors")
        return
    slowness = {
        "requests/s": unpaired(answers_per_second(before), answers_per_second(now)),
        "CPU per request": unpaired(microseconds(now), microseconds(before)),
    }
    for measure, ratio in slowness.items():
        if ratio is None:
            verdict.warnings.append(f"{what}, {measure}: one of the two has no numbers")
            continue
        # Of requests/s, 10 % fewer is a ratio of 1/0.9; of CPU, 10 % more is one of 1.1.
        limit = 1 / (1 - allowed) if measure == "requests/s" else 1 + allowed
        line = f"{what}, {measure}: {_change(measure, ratio)}"
        if ratio.above and ratio.low > limit:
            verdict.failures.append(f"{line}; allowed are {100 * allowed:g} %")
        elif ratio.median > limit:
            verdict.warnings.append(f"{line}; that may be noise, more rounds will tell")
        else:
            verdict.compared.append(line)


def _change(measure: str, ratio: Ratio) -> str:
    """Return what became of it, in percent of the baseline; an interval that says nothing is not shown."""
    if ratio.low <= 0 or ratio.high / ratio.low > _SAYS_NOTHING:
        median = 1 / ratio.median if measure == "requests/s" else ratio.median
        return f"{100 * (median - 1):+.1f} % (too few rounds to say how surely)"
    if measure == "requests/s":
        median, low, high = 1 / ratio.median, 1 / ratio.high, 1 / ratio.low
    else:
        median, low, high = ratio.median, ratio.low, ratio.high
    return f"{100 * (median - 1):+.1f} % (between {100 * (low - 1):+.1f} and {100 * (high - 1):+.1f} %)"

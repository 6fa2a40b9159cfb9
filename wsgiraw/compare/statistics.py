"""Medians, and whether two servers differ: what may be said of a few rounds. It knows no server and ranks nothing.

Rounds are interleaved, so whatever else the machine did in round 3 it did to all servers: the ratio of two servers is
taken within each round, and only then summed up. A benchmark says that two differ only if an interval of that ratio
excludes 1 (Georges, Buytaert, Eeckhout: "Statistically rigorous Java performance evaluation", OOPSLA 2007; Kalibera,
Jones: "Rigorous benchmarking in reasonable time", ISMM 2013, who also say why it must be the interval of the ratio).

**Confidence is 99 %**, because a table makes ten such statements and should be right as a whole nine times in ten.

* From 8 rounds on the interval is one of order statistics: of n independent values, the k-th smallest and the k-th
  greatest enclose the median with a probability that only the binomial distribution of n coin tosses decides, whatever
  the values are like (David, Nagaraja: "Order Statistics", §7.1). For 8 to 11 rounds these are the least and the
  greatest.
* With fewer there are none that reach 99 %: the least and the greatest of 3 enclose the median in 75 of 100 cases, so
  a server would be found to differ from itself each fourth time. A bootstrap of 3 values has the same fault, as it
  draws nothing but them. What is left is Student's t of the logarithms of the ratios, which is wide because little is
  known.
* One round says nothing: its interval is everything.
"""

import dataclasses
import math
import statistics
from collections.abc import Sequence

__all__ = ["CONFIDENCE", "Ratio", "Spread", "paired", "spread", "unpaired"]

CONFIDENCE = 0.99

# Two-sided 99 % quantiles of Student's t with 1, 2, 3 ... degrees of freedom; beyond, the last, which is a little wide.
_STUDENT = (
    *(63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169),
    *(3.106, 3.055, 3.012, 2.977, 2.947, 2.921, 2.898, 2.878, 2.861, 2.845),
)
_NEARLY = 1e-9  # what rounding does to a ratio of 1 is no difference


@dataclasses.dataclass(frozen=True, slots=True)
class Spread:
    """The median of the rounds, between the least and the greatest."""

    median: float
    least: float
    greatest: float


@dataclasses.dataclass(frozen=True, slots=True)
class Ratio:
    """How one is to another: the median, and an interval that holds the true one with 99 % confidence."""

    median: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the two differ at all: the interval does not span 1."""
        return self.above or self.below

    @property
    def above(self) -> bool:
        """Whether it is clearly more than 1."""
        return self.low > 1 + _NEARLY

    @property
    def below(self) -> bool:
        """Whether it is clearly less than 1."""
        return self.high < 1 - _NEARLY


def spread(values: Sequence[float]) -> Spread | None:
    """Return what is in the middle and how far the rest is from it; None of nothing."""
    return Spread(statistics.median(values), min(values), max(values)) if values else None


def paired(these: Sequence[float], those: Sequence[float]) -> Ratio | None:
    """Return `these` to `those`, round by round; None where no round has both."""
    ratios = sorted(this / that for this, that in zip(these, those, strict=False) if _usable(this) and _usable(that))
    if not ratios:
        return None
    median = statistics.median(ratios)
    kept = _order(len(ratios))
    if kept:
        return Ratio(median, ratios[kept - 1], ratios[-kept])
    if len(ratios) == 1:
        return Ratio(median, 0.0, math.inf)
    logarithms = [math.log(ratio) for ratio in ratios]
    return _around(median, statistics.fmean(logarithms), _error(logarithms), len(ratios) - 1)


def unpaired(these: Sequence[float], those: Sequence[float]) -> Ratio | None:
    """Return `these` to `those`, which were measured at different times, so that no round belongs to another.

    Welch's t of the logarithms, with the degrees of freedom of the smaller sample, which is on the safe side.
    """
    mine, theirs = ([math.log(value) for value in values if _usable(value)] for values in (these, those))
    if not mine or not theirs:
        return None
    median = math.exp(statistics.median(mine) - statistics.median(theirs))
    fewer = min(len(mine), len(theirs))
    if fewer == 1:
        return Ratio(median, 0.0, math.inf)
    difference = statistics.fmean(mine) - statistics.fmean(theirs)
    return _around(median, difference, math.hypot(_error(mine), _error(theirs)), fewer - 1)


def _usable(value: float) -> bool:
    """Whether it can be part of a ratio; where a round failed altogether, its server is not ranked anyway."""
    return 0 < value < math.inf


def _order(count: int) -> int:
    """Which smallest and greatest of so many values enclose the median with enough confidence; 0: none do."""
    kept, outside = 0, 0.0
    while True:
        outside += 2 * math.comb(count, kept) / 2**count
        if 1 - outside < CONFIDENCE:
            return kept
        kept += 1


def _error(logarithms: Sequence[float]) -> float:
    return statistics.stdev(logarithms) / math.sqrt(len(logarithms))


def _around(median: float, mean: float, error: float, freedom: int) -> Ratio:
    margin = _STUDENT[min(freedom, len(_STUDENT)) - 1] * error
    low, high = (math.exp(min(bound, 700.0)) for bound in (mean - margin, mean + margin))
    return Ratio(median, min(low, median), max(high, median))

"""How often something took how long: a histogram whose buckets grow with the values, as HdrHistogram's do.

Below 256 µs each value has a bucket of its own; above, buckets are less than 1/128 of their values wide, so that a
percentile is at most 0.8 % too large and never too small. It knows nothing of requests, except in `percentile`.
"""

import math
from collections.abc import Mapping

from wsgiraw.compare.results import Latency

__all__ = ["PRECISION", "Histogram", "percentile"]

_BITS = 8
PRECISION = 2 ** (1 - _BITS)
"""By what share of itself a value may be below the upper bound of its bucket."""


class Histogram:
    """Counts by bucket; `counts` is what `Latency.histogram` holds: upper bound in microseconds → number."""

    __slots__ = ("counts",)

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts: dict[int, int] = dict(counts or {})

    def record(self, microseconds: int) -> None:
        """Count a value, which is not negative."""
        width = microseconds.bit_length() - _BITS
        bound = microseconds if width <= 0 else (((microseconds >> width) + 1) << width) - 1
        self.counts[bound] = self.counts.get(bound, 0) + 1

    def merge(self, other: "Histogram") -> None:
        """Count all that another has counted."""
        for bound, number in other.counts.items():
            self.counts[bound] = self.counts.get(bound, 0) + number

    @property
    def total(self) -> int:
        """How many values were counted."""
        return sum(self.counts.values())

    def percentile(self, percent: float, endless: int = 0) -> float:
        """Return the least upper bound that `percent` % of the values do not exceed (nearest rank); NaN for none.

        `endless` further values count as infinite.
        """
        total = self.total + endless
        if not total:
            return math.nan
        rank = max(math.ceil(total * percent / 100 - 1e-9), 1)  # 99.9 is no binary fraction
        for bound in sorted(self.counts):
            rank -= self.counts[bound]
            if rank <= 0:
                return bound
        return math.inf


def percentile(latency: Latency, percent: float) -> float:
    """Return within how many microseconds `percent` % of the requests were answered right; perhaps infinity.

    A request that failed, or that nobody answered, counts as infinitely slow: an error never improves a percentile.
    """
    return Histogram(latency.histogram).percentile(percent, sum(latency.errors.values()))

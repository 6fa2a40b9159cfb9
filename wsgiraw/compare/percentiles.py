"""Percentiles of a histogram of latencies. It takes and gives microseconds, and draws nothing."""

import math
from collections.abc import Iterator, Mapping

__all__ = ["curve", "percentile"]


def percentile(histogram: Mapping[int, int], percent: float, missing: int = 0) -> float:
    """Return the latency that `percent` of all requests did not exceed, by nearest rank: nothing is interpolated.

    `histogram` is the upper bound of a bucket → how many. `missing` requests were never answered rightly and count as
    infinitely late, else a server would get faster by dropping what takes long. Of nothing at all it is infinite.
    """
    total = sum(histogram.values()) + missing
    rank = max(1, math.ceil(round(percent * total / 100, 6)))  # 99.9 % of 1000 is the 999th, whatever floats say
    seen = 0
    for bound in sorted(histogram):
        seen += histogram[bound]
        if seen >= rank:
            return bound
    return math.inf


def curve(histogram: Mapping[int, int], missing: int = 0) -> Iterator[tuple[float, float]]:
    """Yield the whole distribution as steps: which share of all (0 to 1) was answered within how many microseconds."""
    total = sum(histogram.values()) + missing
    seen = 0
    for bound in sorted(histogram):
        if histogram[bound]:
            seen += histogram[bound]
            yield seen / total, bound

"""How often something took how long: a histogram whose buckets grow with the values, as HdrHistogram's do.

Below 256 µs each value has a bucket of its own; above, buckets are less than 1/128 of their values wide, so that a
percentile (`compare.percentiles`) is at most 0.8 % too large and never too small. It knows nothing of requests.
"""

__all__ = ["PRECISION", "Histogram"]

_BITS = 8
PRECISION = 2 ** (1 - _BITS)
"""By what share of itself a value may be below the upper bound of its bucket."""


class Histogram:
    """Counts by bucket; `counts` is what `Latency.histogram` holds: upper bound in microseconds → number."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}

    def record(self, microseconds: int) -> None:
        """Count a value, which is not negative."""
        width = microseconds.bit_length() - _BITS
        bound = microseconds if width <= 0 else (((microseconds >> width) + 1) << width) - 1
        self.counts[bound] = self.counts.get(bound, 0) + 1

    @property
    def total(self) -> int:
        """How many values were counted."""
        return sum(self.counts.values())

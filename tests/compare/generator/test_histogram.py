"""The histogram agrees with a sorted list, as far as its precision goes."""

import math

from hypothesis import given
from hypothesis import strategies as st

from wsgiraw.compare.generator.histogram import PRECISION, Histogram
from wsgiraw.compare.percentiles import percentile

VALUES = st.lists(st.integers(0, 10**9) | st.integers(0, 1000), min_size=1)


def histogram_of(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


@given(VALUES, st.floats(0, 100))
def test_percentile_of_a_sorted_list(values: list[int], percent: float) -> None:
    exact = sorted(values)[max(math.ceil(len(values) * percent / 100 - 1e-9), 1) - 1]
    assert exact <= percentile(histogram_of(values).counts, percent) <= exact * (1 + PRECISION)


@given(VALUES)
def test_all_are_counted(values: list[int]) -> None:
    assert histogram_of(values).total == len(values)


@given(st.integers(0, 10**9))
def test_what_is_in_a_bucket_stays_in_it(value: int) -> None:
    """So that a histogram that has been saved can be merged with another."""
    bound = next(iter(histogram_of([value]).counts))
    assert histogram_of([bound]).counts == {bound: 1}


def test_precise_below_256_microseconds() -> None:
    assert histogram_of(list(range(256))).counts == dict.fromkeys(range(256), 1)

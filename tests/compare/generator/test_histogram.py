"""The histogram agrees with a sorted list, as far as its precision goes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiraw.compare.generator.histogram import PRECISION, Histogram, percentile
from wsgiraw.compare.results import Latency

VALUES = st.lists(st.integers(0, 10**9) | st.integers(0, 1000), min_size=1)


def histogram_of(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


@given(VALUES, st.floats(0, 100))
def test_percentile_of_a_sorted_list(values: list[int], percent: float) -> None:
    exact = sorted(values)[max(math.ceil(len(values) * percent / 100 - 1e-9), 1) - 1]
    assert exact <= histogram_of(values).percentile(percent) <= exact * (1 + PRECISION)


@given(VALUES, VALUES)
def test_merged_is_as_if_one_had_counted_all(some: list[int], others: list[int]) -> None:
    histogram = histogram_of(some)
    histogram.merge(histogram_of(others))
    assert histogram.counts == histogram_of(some + others).counts
    assert histogram.total == len(some + others)


@given(st.integers(0, 10**9))
def test_what_is_in_a_bucket_stays_in_it(value: int) -> None:
    """So that a histogram that has been saved can be merged with another."""
    bound = next(iter(histogram_of([value]).counts))
    assert histogram_of([bound]).counts == {bound: 1}


def test_precise_below_256_microseconds() -> None:
    assert histogram_of(list(range(256))).counts == dict.fromkeys(range(256), 1)


def test_nothing_has_no_percentile() -> None:
    assert math.isnan(Histogram().percentile(50))


def test_a_copy_counts_for_itself() -> None:
    counts = {5: 1}
    Histogram(counts).record(5)
    assert counts == {5: 1}


@pytest.mark.parametrize(("percent", "microseconds"), [(50, 10), (90, 20), (95, 20), (95.1, math.inf), (100, math.inf)])
def test_errors_are_endless(percent: float, microseconds: float) -> None:
    latency = Latency(
        rate=1.0,
        seconds=1.0,
        sent=100,
        answered=95,
        errors={"timeout": 4, "closed": 1},
        histogram={20: 35, 10: 60},
        generator_busy=0.0,
    )
    assert percentile(latency, percent) == microseconds

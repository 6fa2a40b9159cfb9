"""Percentiles by nearest rank, against sorting all values."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsgiraw.compare.percentiles import curve, percentile


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1), (50, 500), (90, 900), (99, 990), (99.9, 999), (99.99, 1000), (100, 1000)]
)
def test_of_one_to_a_thousand(percent: float, expected: int) -> None:
    assert percentile(dict.fromkeys(range(1, 1001), 1), percent) == expected


@given(st.lists(st.integers(1, 50), min_size=1), st.integers(0, 100), st.integers(0, 5))
@settings(deadline=None)
def test_is_the_value_at_the_rank(values: list[int], percent: int, missing: int) -> None:
    everything = sorted([*values, *[math.inf] * missing])
    rank = max(1, -(-percent * len(everything) // 100))
    histogram = {value: values.count(value) for value in values}
    assert percentile(histogram, percent, missing) == everything[rank - 1]


def test_of_nothing_is_no_answer() -> None:
    assert percentile({}, 50) == math.inf


def test_a_curve_ends_where_no_more_was_answered() -> None:
    assert list(curve({10: 1, 30: 1, 20: 2, 40: 0}, missing=4)) == [(0.125, 10), (0.375, 20), (0.5, 30)]

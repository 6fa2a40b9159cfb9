"""Intervals: where they say that two differ, and how often they say so of two that do not."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsgiraw.compare.statistics import Ratio, paired, spread, unpaired

ROUNDS = st.lists(st.floats(0.5, 2e6), min_size=1, max_size=15)


def found(ratio: Ratio | None) -> Ratio:
    assert ratio is not None
    return ratio


def test_a_spread_is_the_median_between_least_and_greatest() -> None:
    kept = spread([3.0, 1.0, 10.0])
    assert kept is not None
    assert (kept.median, kept.least, kept.greatest) == (3.0, 1.0, 10.0)
    assert spread([]) is None


@given(ROUNDS)
@settings(deadline=None)
def test_the_same_samples_do_not_differ(rounds: list[float]) -> None:
    assert not found(paired(rounds, rounds)).clear
    assert not found(unpaired(rounds, rounds)).clear


@given(ROUNDS, ROUNDS)
@settings(deadline=None)
def test_the_median_is_within_the_interval(these: list[float], those: list[float]) -> None:
    for ratio in (found(paired(these, those)), found(unpaired(these, those))):
        assert ratio.low <= ratio.median <= ratio.high


@given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(1, 1e6)), min_size=2, max_size=12))
@settings(deadline=None)
def test_turned_round_it_says_the_same(rounds: list[tuple[float, float]]) -> None:
    these, those = zip(*rounds, strict=True)
    ratio, turned = found(paired(these, those)), found(paired(those, these))
    assert not (ratio.above and turned.above)
    if ratio.low > 1.001:
        assert turned.below


@pytest.mark.parametrize("rounds", [3, 5, 7, 8, 9, 20])
def test_twice_as_fast_is_a_clear_difference(rounds: int) -> None:
    chance = random.Random(rounds)
    slow = [1000 * chance.gauss(1, 0.02) for _ in range(rounds)]
    fast = [2000 * chance.gauss(1, 0.02) for _ in range(rounds)]
    assert found(paired(fast, slow)).above
    assert found(unpaired(slow, fast)).below


@pytest.mark.parametrize("rounds", [3, 5, 7, 8, 9])
def test_what_is_alike_is_seldom_found_to_differ(rounds: int) -> None:
    chance = random.Random(rounds)
    wrong = 0
    for _ in range(1000):
        these, those = ([chance.gauss(1000, 30) for _ in range(rounds)] for _ in range(2))
        wrong += found(paired(these, those)).clear
    assert wrong <= 25  # 10 are to be expected


def test_what_the_machine_did_to_both_does_not_count() -> None:
    weather = [1.0, 0.4, 0.9, 0.5, 0.8]
    assert found(paired([110 * one for one in weather], [100 * one for one in weather])).above


def test_one_round_says_nothing() -> None:
    assert found(paired([100.0], [1.0])) == Ratio(100.0, 0.0, math.inf)
    assert not found(unpaired([100.0], [1.0, 1.0])).clear


def test_rounds_without_numbers_are_left_out() -> None:
    assert found(paired([0.0, 4.0, math.inf], [2.0, 2.0, 2.0])).median == 2.0
    assert paired([0.0], [1.0]) is None
    assert unpaired([], [1.0]) is None


def test_of_twelve_rounds_one_that_went_wrong_does_not_count() -> None:
    assert found(paired([1.0, *[2.0] * 11], [1.0] * 12)) == Ratio(2.0, 2.0, 2.0)

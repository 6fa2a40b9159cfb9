"""Who is first, who shares a place, and who has none."""

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compare.samples import comparison, latency, one_round, server
from wsgiraw.compare.ranking import Standing, judge, microseconds, reference
from wsgiraw.compare.results import Comparison, Round, ServerResult


def ranks(standings: list[Standing]) -> list[tuple[str, int | None]]:
    return [(standing.server.name, standing.rank) for standing in standings]


def steady(name: str, answered: int, *, cpu: float = 1.0, busy: float = 0.5) -> ServerResult:
    return server(name, [one_round(answered + one, cpu=cpu, busy=busy) for one in (-1, 0, 1)])


def all_kinds() -> st.SearchStrategy[Comparison]:
    errors = st.sampled_from([{}, {}, {"status 500": 1}, {"timeout": 500}])
    rounds = st.builds(
        lambda answered, cpu, errors, busy: one_round(answered, cpu=cpu, errors=errors, busy=busy),
        st.integers(0, 10**6),
        st.floats(0, 10),
        errors,
        st.sampled_from([0.2, 0.95]),
    )
    states = st.sampled_from(["measured", "measured", "absent", "failed", "different", "errors"])
    made = st.builds(lambda rounds, state: server("any", rounds, state=state), st.lists(rounds, max_size=9), states)
    return st.lists(made, max_size=6).map(
        lambda servers: comparison(
            *(server(f"s{place}", one.rounds, state=one.state) for place, one in enumerate(servers))
        )
    )


def wrong(one: Round) -> float:
    return sum(one.load.errors.values()) / max(1, one.load.answered + sum(one.load.errors.values()))


@given(all_kinds(), st.sampled_from([0.0, 500_000.0]))
@settings(deadline=None)
def test_whatever_comes_nobody_is_lost_and_nobody_with_errors_is_ranked(everybody: Comparison, ceiling: float) -> None:
    standings = judge(everybody, ceiling)
    assert sorted(standing.server.name for standing in standings) == [one.name for one in everybody.servers]
    given_ranks = [standing.rank for standing in standings if standing.rank is not None]
    assert given_ranks == sorted(given_ranks)
    assert given_ranks[:1] in ([], [1])
    assert [standing.rank for standing in standings[len(given_ranks) :]] == [None] * (len(standings) - len(given_ranks))
    for place, standing in enumerate(standings, start=1):
        assert (standing.rank is None) == bool(standing.reason)
        if standing.rank is not None:
            assert standing.rank <= place
            assert standing.server.state == "measured"
            assert max(map(wrong, standing.server.rounds)) <= 0.001


@given(st.lists(st.lists(st.integers(1, 10**5), min_size=5, max_size=5), min_size=1, max_size=5), st.integers(2, 64))
@settings(max_examples=50, deadline=None)
def test_on_a_faster_machine_the_ranking_is_the_same(speeds: list[list[int]], factor: int) -> None:
    def measured(times: int) -> Comparison:
        return comparison(
            *(server(f"s{place}", [one_round(one * times) for one in rounds]) for place, rounds in enumerate(speeds))
        )

    assert ranks(judge(measured(1), 2**16)) == ranks(judge(measured(factor), 2**16 * factor))


@given(st.lists(st.integers(1, 10**5), min_size=1, max_size=12), st.integers(2, 4))
@settings(deadline=None)
def test_a_server_twice_shares_a_rank(rounds: list[int], times: int) -> None:
    same = [server(f"wsgiraw#{place}", [one_round(one) for one in rounds]) for place in range(times)]
    standings = judge(comparison(*same), 0)
    assert [standing.rank for standing in standings] == [1] * times
    assert all(standing.ratio and not standing.ratio.clear for standing in standings)


def test_in_order_of_throughput_with_shared_ranks() -> None:
    standings = judge(comparison(steady("c", 100), steady("a", 300), steady("b", 300), steady("d", 50)), 0)
    assert ranks(standings) == [("a", 1), ("b", 1), ("c", 3), ("d", 4)]


def test_errors_of_the_open_loop_count_too_but_for_those_beside_stalled_clients() -> None:
    failing = latency({1000: 90}, errors={"status 500": 10})
    starved = latency({1000: 10}, errors={"timeout": 90}, stalled=50)
    standings = judge(
        comparison(
            server("failing", [one_round(900, latencies=[failing])]),
            server("starved", [one_round(100, latencies=[starved])]),
        ),
        0,
    )
    assert ranks(standings) == [("starved", 1), ("failing", None)]
    assert standings[1].reason == "errors: 1 % of a round"
    assert not standings[0].errors
    assert standings[0].latency[0].percentile(10) == 1000
    assert standings[0].latency[0].percentile(99) == math.inf


def test_histograms_of_rounds_are_one() -> None:
    rounds = [one_round(9, latencies=[latency({100: 1, 200: 1}), latency({5: 1}, rate=9)]) for _ in range(3)]
    found = judge(comparison(server("a", rounds)), 0)[0].latency
    assert [(one.rate, one.histogram, one.missing) for one in found] == [(9, {5: 3}, 0), (500, {100: 3, 200: 3}, 0)]


@pytest.mark.parametrize(("busy", "ceiling"), [(0.97, 0.0), (0.5, 1000.0)])
def test_where_the_generator_is_the_limit_cpu_decides(busy: float, ceiling: float) -> None:
    standings = judge(
        comparison(
            steady("slow", 100, cpu=0.1),
            steady("costly", 990, cpu=0.9, busy=busy),
            steady("cheap", 980, cpu=0.5, busy=busy),
        ),
        ceiling,
    )
    assert [(standing.server.name, standing.rank, standing.bound) for standing in standings] == [
        ("cheap", 1, True),
        ("costly", 2, True),
        ("slow", 3, False),
    ]


def test_compared_with_wsgiraw_or_the_first_that_was_measured() -> None:
    absent, a, ours = server("x", state="absent"), steady("a", 2), steady("wsgiraw", 2)
    assert reference([absent, a, ours]) is ours
    assert reference([absent, a]) is a
    assert reference([absent]) is None


def test_cpu_is_shared_by_late_answers_too() -> None:
    load = dataclasses.replace(one_round(900).load, late=100)
    late = dataclasses.replace(one_round(900, cpu=1.0), load=load)
    assert microseconds(server("wsgiraw", [late])) == [1000.0]

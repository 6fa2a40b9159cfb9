"""Who is missing, who can go and how long to wait, without processes."""

import pytest

from wsgiraw.config import Config
from wsgiraw.strategies.prefork.backoff import Backoff
from wsgiraw.strategies.prefork.flock import Generation, Member
from wsgiraw.strategies.prefork.roster import Roster
from wsgiraw.strategies.prefork.shared import SharedPulses
from wsgiraw.strategies.prefork.vigil import stuck
from wsgiraw.strategies.pulse import CELLS, ROOM, TURNS, WAITING


def member(generation: Generation, number: int, *, ready: bool = True, retires: str = "") -> Member:
    return Member(
        pid=number,
        number=number,
        generation=generation,
        channel=-1,
        row=[0] * CELLS,
        started=float(number),
        ready=float(number) if ready else None,
        retires=retires,
    )


@pytest.fixture
def members() -> list[Member]:
    return []


@pytest.fixture
def roster(members: list[Member]) -> Roster:
    return Roster(members, Config(workers=2), [])


def test_as_many_as_wanted(roster: Roster, members: list[Member]) -> None:
    assert roster.missing() == [roster.current] * 2
    members += [member(roster.current, 1), member(roster.current, 2, ready=False)]
    assert roster.missing() == []
    assert roster.surplus() == []
    members[0].leaving = True
    assert roster.missing() == [roster.current]


def test_when_there_are_too_many_who_is_not_ready_goes_first_then_the_oldest(
    roster: Roster, members: list[Member]
) -> None:
    members += [member(roster.current, number, ready=number != 3) for number in (1, 2, 3)]
    roster.resize(lambda wanted: 1)
    assert roster.surplus() == [members[2], members[0]]


def test_who_retires_goes_when_one_more_is_ready_and_one_at_a_time(roster: Roster, members: list[Member]) -> None:
    members += [member(roster.current, number, retires="x") for number in (1, 2)]
    assert roster.missing() == [roster.current]
    assert roster.surplus() == []
    members.append(member(roster.current, 3, ready=False))
    assert roster.missing() == []
    assert roster.surplus() == []
    members[2].ready = 1.0
    assert roster.surplus() == [members[0]]
    members[0].leaving = True
    assert roster.surplus() == []
    assert roster.missing() == [roster.current]  # now the second has its turn


def test_who_dies_while_a_successor_starts_has_found_it(roster: Roster, members: list[Member]) -> None:
    members += [
        member(roster.current, 1, retires="x"),
        member(roster.current, 2),
        member(roster.current, 3, ready=False),
    ]
    del members[0]
    assert roster.missing() == []
    assert roster.surplus() == []


def test_nobody_is_wanted(roster: Roster, members: list[Member]) -> None:
    members += [member(roster.current, 1, retires="x"), member(roster.current, 2)]
    roster.resize(lambda wanted: 0)
    assert roster.missing() == []
    assert roster.surplus() == members


def test_a_generation_comes_beside_the_current_one(roster: Roster, members: list[Member]) -> None:
    members += [member(roster.current, 1), member(roster.current, 2)]
    roster.expect(Config(workers=3), [])
    assert roster.coming is not None
    assert roster.missing() == [roster.coming] * 3
    assert roster.surplus() == []
    assert (roster.current.number, roster.coming.number) == (1, 2)


def test_the_pause_doubles_up_to_30_seconds() -> None:
    backoff = Backoff()
    assert [backoff.crashed(now, None) for now in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert backoff.until == 6 + 30


def test_a_replacement_that_has_lived_for_longer_than_the_pause_ends_it() -> None:
    backoff = Backoff()
    for now in (1, 2, 3):
        backoff.crashed(now, None)
    assert backoff.crashed(10, oldest_replacement=7) == 8  # 3 s with a pause of 4 s
    assert backoff.crashed(30, oldest_replacement=21) == 1


def test_a_loop_is_stuck_when_it_neither_waits_nor_turns() -> None:
    one = member(Generation(1, Config(loop_timeout=5), [], 1), 1)
    one.turned = 0.0
    assert not stuck(one, 100)  # it has never shown a pulse: nobody knows
    one.row[TURNS] = 7
    assert not stuck(one, 101)
    assert not stuck(one, 105)
    assert stuck(one, 107)
    one.row[TURNS] = 8
    assert not stuck(one, 108)
    one.row[WAITING] = 1
    assert not stuck(one, 1000)
    one.row[WAITING] = 0
    assert not stuck(one, 1001)


def test_an_import_that_takes_too_long_is_stuck() -> None:
    one = member(Generation(1, Config(loop_timeout=5), [], 1), 1, ready=False)
    one.turned = one.started
    assert not stuck(one, 6)
    assert stuck(one, 7)


def test_workers_see_who_has_room() -> None:
    pulses = SharedPulses()
    numbers = [pulses.take(), pulses.take()]
    assert numbers == [1, 2]
    pulses.row(1)[ROOM] = 3
    assert pulses.others_have_room(2)
    assert not pulses.others_have_room(1)
    pulses.give_back(1)
    assert not pulses.others_have_room(2)
    assert pulses.take() == 1

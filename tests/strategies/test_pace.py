"""Which calls are kept off the loop: all of them while one in a hundred is slow, and those of paths that always are."""

from wsgiraw.strategies.pace import Pace

LIMIT = 0.001


def test_there_is_nothing_to_remember_of_quick_calls() -> None:
    assert not Pace(LIMIT).memorable


def test_many_slow_calls_keep_all_off_the_loop_for_a_while() -> None:
    pace = Pace(LIMIT)
    for number in range(9):
        pace.note_overrun(f"/{number}", 100.0)
        assert pace.suits_loop("/other", 100.0)
    pace.note_overrun("/9", 100.0)
    assert not pace.suits_loop("/other", 100.2)
    assert pace.suits_loop("/other", 100.3)
    pace.note_overrun("/10", 100.3)  # no doubt
    assert not pace.suits_loop("/other", 100.4)


def test_a_hundred_quick_calls_make_up_for_a_slow_one() -> None:
    pace = Pace(LIMIT)
    for _ in range(20):
        pace.note_overrun("/", 100.0)
        for _ in range(99):
            pace.note_quick("/")
        assert pace.suits_loop("/", 100.0)
    for _ in range(20):
        assert pace.memorable
        pace.note_quick("/")
    assert not pace.memorable


def test_a_path_that_is_slow_again_is_kept_off_and_others_are_not() -> None:
    pace = Pace(LIMIT)
    pace.note_overrun("/report", 100.0)
    assert pace.suits_loop("/report", 100.0)
    pace.note_overrun("/report", 101.0)
    assert not pace.suits_loop("/report", 102.0)
    assert pace.suits_loop("/", 102.0)


def test_a_path_that_has_become_quick_comes_back() -> None:
    pace = Pace(LIMIT)
    for _ in range(5):
        pace.note_overrun("/report", 100.0)
    pace.note("/report", 0.05)
    pace.note("/report", 0.0005)
    assert not pace.suits_loop("/report", 102.0)
    pace.note("/report", 0.0005)
    assert pace.suits_loop("/report", 102.0)


def test_no_more_than_a_thousand_paths_are_remembered() -> None:
    pace = Pace(LIMIT)
    for number in range(2000):
        for _ in range(2):
            pace.note_overrun(f"/{number}", 100.0)
    kept_off = [number for number in range(2000) if not pace.suits_loop(f"/{number}", 200.0)]
    assert kept_off == list(range(1000))

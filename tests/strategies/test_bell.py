"""A bell that is rung while nobody waits is heard later, once."""

from wsgiraw.strategies.bell import Bell


def test_a_ring_is_remembered_and_two_count_as_one() -> None:
    bell = Bell()
    assert not bell.wait(0)
    bell.ring()
    bell.ring()
    assert bell.wait()
    assert not bell.wait(0.001)

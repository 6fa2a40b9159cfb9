"""The wish to stop, by itself."""

import math
import select
import time

from wsgiraw.strategies.stop import Stop


def readable(stop: Stop) -> bool:
    return bool(select.select([stop.fileno()], [], [], 0)[0])


def test_nobody_has_asked() -> None:
    stop = Stop(30)
    assert not stop.requested
    assert stop.deadline == math.inf
    assert not readable(stop)
    stop.acknowledge()
    stop.close()


def test_asked_once_there_is_time_asked_twice_there_is_none() -> None:
    stop = Stop(30)
    before = time.monotonic()
    stop.request()
    assert stop.requested
    assert before + 30 <= stop.deadline <= time.monotonic() + 30
    assert readable(stop)
    stop.acknowledge()
    assert not readable(stop)
    stop.request()
    assert before <= stop.deadline <= time.monotonic()
    assert readable(stop)
    stop.close()


def test_asking_very_often_blocks_nobody() -> None:
    stop = Stop(0)
    for _ in range(70_000):  # more than a pipe holds
        stop.request()
    assert readable(stop)
    stop.close()

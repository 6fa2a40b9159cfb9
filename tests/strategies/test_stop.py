"""The wish to stop, by itself."""

import math
import os
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


def test_draining_comes_before_stopping() -> None:
    stop = Stop(30)
    stop.drain()
    assert stop.draining
    assert not stop.requested
    assert readable(stop)
    stop.acknowledge()
    stop.request()
    assert stop.draining
    assert stop.requested
    stop.close()


def test_what_is_posted_is_done_where_it_is_acknowledged() -> None:
    stop = Stop(30)
    done: list[int] = []
    stop.post(lambda: done.append(1))
    stop.post(lambda: done.append(2))
    assert readable(stop)
    assert done == []
    stop.acknowledge()
    assert done == [1, 2]
    assert not readable(stop)
    stop.close()


def test_without_its_master_it_stops() -> None:
    alive, held = os.pipe()
    stop = Stop(30, alive)
    assert not readable(stop)
    stop.post(lambda: None)
    assert readable(stop)
    stop.acknowledge()
    assert not stop.requested
    os.close(held)
    assert readable(stop)
    stop.acknowledge()
    assert stop.requested
    assert stop.deadline < math.inf
    stop.acknowledge()
    assert readable(stop) is False  # not for ever
    stop.close()
    os.close(alive)


def test_a_forked_child_leaves_the_master_to_its_parent() -> None:
    alive, held = os.pipe()
    stop = Stop(30, alive)
    pid = os.fork()
    if pid == 0:
        os.close(held)
        select.select([stop.fileno()], [], [])
        stop.acknowledge()
        os._exit(stop.requested)
    os.close(held)
    assert os.waitpid(pid, 0)[1] == 0
    assert readable(stop)
    stop.acknowledge()
    assert stop.requested
    stop.close()
    os.close(alive)

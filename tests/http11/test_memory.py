"""Memory that bodies share: taken step by step, given back by whoever closes a body or has it last."""

import gc
import sys
import tempfile
import threading
from typing import BinaryIO, cast

import pytest

from tests.wire import PATIENCE
from wsgiraw.http11 import BodyMemory, Spool
from wsgiraw.http11.memory import FREE

KIB = 1024


def open_file() -> BinaryIO:
    return cast(BinaryIO, tempfile.TemporaryFile())


def spool(shared: BodyMemory | None, size: int, *, most: int = 512 * KIB) -> BinaryIO:
    """Return what a spool makes of a body, written in pieces."""
    kept = Spool(most, open_file, shared)
    for _ in range(size // KIB):
        kept.write(bytes(KIB))
    kept.write(b"x" * (size % KIB))
    assert kept.size == size
    return kept.finish()


def in_memory(body: BinaryIO) -> bool:
    return hasattr(body, "getbuffer")


@pytest.mark.parametrize("size", [0, 1, FREE, FREE + 1, 64 * KIB, 64 * KIB + 1, 512 * KIB, 512 * KIB + 1])
@pytest.mark.parametrize("shared", [None, 0, 64 * KIB, 1024 * KIB])
def test_a_body_is_whole_wherever_it_is(size: int, shared: int | None) -> None:
    with spool(None if shared is None else BodyMemory(shared), size) as body:
        assert len(body.read()) == size
        fits = size <= FREE or (size <= 512 * KIB and (shared is None or size <= shared))
        assert in_memory(body) is fits


def test_memory_is_given_back_by_closing() -> None:
    shared = BodyMemory(64 * KIB)
    first = spool(shared, 10 * KIB)
    assert in_memory(first)
    with spool(shared, 10 * KIB) as second:
        assert not in_memory(second)
    first.close()
    first.close()
    with spool(shared, 10 * KIB) as third:
        assert in_memory(third)


def test_memory_is_given_back_where_nobody_closes() -> None:
    shared = BodyMemory(64 * KIB)
    body = spool(shared, 10 * KIB)
    del body
    gc.collect()
    with spool(shared, 10 * KIB) as other:
        assert in_memory(other)


def test_what_goes_to_a_file_after_all_gives_its_memory_back() -> None:
    shared = BodyMemory(128 * KIB)
    with spool(shared, 600 * KIB) as large:
        assert not in_memory(large)
        with spool(shared, 128 * KIB) as other:
            assert in_memory(other)


def test_a_body_that_somebody_looks_into_is_not_given_back() -> None:
    shared = BodyMemory(64 * KIB)
    body = spool(shared, 10 * KIB)
    with body.getbuffer(), pytest.raises(BufferError):  # type: ignore[attr-defined]
        body.close()
    body.close()
    assert shared.take()


def test_threads_lose_nothing_and_find_nothing() -> None:
    """All that there was is there in the end, and no more; and nobody waits for ever for what another has got."""
    steps, rounds = 100, 10_000
    shared = BodyMemory(steps * 64 * KIB)

    def work() -> None:
        for _ in range(rounds):
            for taken in [shared.take() for _ in range(10)]:
                shared.give_back(taken)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    finally:
        sys.setswitchinterval(interval)
    assert not any(thread.is_alive() for thread in threads)
    assert sum(bool(shared.take()) for _ in range(2 * steps)) == steps


@pytest.mark.parametrize("buffering", [0, -1])
def test_a_file_that_takes_nothing_is_closed(buffering: int) -> None:
    """The device that is always full (full(4)); what is buffered finds no room when it is closed either."""
    opened: list[BinaryIO] = []

    def open_full() -> BinaryIO:
        opened.append(cast(BinaryIO, open("/dev/full", "wb", buffering)))  # noqa: PTH123, SIM115
        return opened[-1]

    kept = Spool(20 * KIB, open_full)
    kept.write(bytes(20 * KIB))
    with pytest.raises(OSError, match="No space left"):
        kept.write(b"x")
    assert [file.closed for file in opened] == [True]
    kept.close()

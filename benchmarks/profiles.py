"""Mixtures of slow and quick requests for slow_calls.py: who asks for what. The paths are those of slow.py."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

FIRST, SECOND = 0, 1


def now_and_then(seed: int, chance: float) -> Iterator[int]:
    """The first path for ever, but with this chance the second."""
    draw = random.Random(seed).random
    while True:
        yield SECOND if draw() < chance else FIRST


@dataclass(frozen=True, slots=True)
class Profile:
    """Two paths at most, and which clients ask for which: the load that it is about first, then others to compare."""

    paths: tuple[str, ...]
    threads: int
    loads: Mapping[str, Callable[[], Sequence[Iterator[int]]]]


PROFILES: Mapping[str, Profile] = {
    "all-slow": Profile(("/sleep?ms=50",), 16, {"all sleep 50 ms": lambda: [repeat(FIRST)] * 64}),
    "one-in-a-thousand": Profile(
        ("/quick", "/sleep?ms=200"),
        16,
        {
            "1/1000 sleep 200 ms": lambda: [now_and_then(seed, 1 / 1000) for seed in range(32)],
            "none sleeps": lambda: [repeat(FIRST)] * 32,
        },
    ),
    "cpu-bound": Profile(
        ("/quick", "/cpu?ms=30"),
        8,
        {
            "3 compute 30 ms": lambda: [repeat(SECOND)] * 3 + [repeat(FIRST)] * 16,
            "none computes": lambda: [repeat(FIRST)] * 16,
        },
    ),
}

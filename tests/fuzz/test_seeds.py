"""What the fuzzer begins with is without fault, and each target can be called without it."""

import pytest

from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS

LONGEST = 5000


@pytest.mark.parametrize("target", TARGETS)
def test_seeds(target: str) -> None:
    for octets in seeds(target).values():
        if len(octets) <= LONGEST:
            TARGETS[target](octets)

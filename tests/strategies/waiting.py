"""Waiting for what is about to become true."""

import time
from collections.abc import Callable

from tests.wire import PATIENCE

__all__ = ["eventually"]


def eventually(condition: Callable[[], object]) -> None:
    """Return once a condition holds; fail where it does not in time."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to pass"
        time.sleep(0.001)

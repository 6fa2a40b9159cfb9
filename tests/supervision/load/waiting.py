"""Waiting for what will come, without knowing when."""

import time
from collections.abc import Callable

from tests.wire import PATIENCE

__all__ = ["until"]


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until a condition holds; `what` says which, should it not."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE:g} s: {what}"
        time.sleep(0.005)

"""When a process has answered enough (`--max-requests`) and asks for a successor. Who that is, a master decides."""

import itertools
import random
from collections.abc import Callable

from wsgiraw.config import Config
from wsgiraw.strategies import Pulse

__all__ = ["request_limit"]


def request_limit(config: Config, pulse: Pulse) -> Callable[[], None] | None:
    """Return what counts exchanges and asks for a successor at the last one, if there is a limit."""
    if not config.max_requests:
        return None
    last = config.max_requests + random.randint(0, config.max_requests_jitter)
    numbers = itertools.count(1)

    def count() -> None:
        if next(numbers) == last:  # one step of C, thus right with threads, too
            pulse.retire(f"it has answered {last} requests")

    return count

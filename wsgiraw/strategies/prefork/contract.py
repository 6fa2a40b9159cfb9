"""What a master is told to do, and what a worker is told of itself. Data alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from wsgiraw.config import Config
from wsgiraw.net import Listener
from wsgiraw.strategies.pulse import Pulse

__all__ = ["Duties", "Post", "Worker"]


@dataclass(frozen=True, slots=True)
class Worker:
    """What hooks are called with."""

    number: int
    """From 1, unique among the workers of a master that live at a time; a successor may have it again."""
    generation: int
    """1 for the workers of the start, one more for those of each reload."""
    pid: int
    """The process."""


@dataclass(frozen=True, slots=True)
class Post:
    """A worker's line to its master."""

    worker: Worker
    pulse: Pulse
    master: int
    """A descriptor that becomes readable when the master is no more."""


@dataclass(frozen=True, slots=True)
class Duties:
    """What the master calls; itself it knows only processes."""

    work: Callable[[Config, Sequence[Listener], Post], None]
    """Serve until told to stop, in a worker."""
    reread: Callable[[], Config]
    """Return the configuration as it is now. Raises `ConfigError`."""
    established: Callable[[], None]
    """We serve: the first worker is ready; or, after an upgrade, all of them."""
    adopted: Callable[[Config], None]
    """A reload has succeeded: this is the configuration from now on."""
    reopen_logs: Callable[[], None]
    """Log files have been moved away."""
    reloading: Callable[[], None]
    """A reload has been asked for."""
    settled: Callable[[int, str], None]
    """A reload has ended, or a signal wants more or fewer workers: so many. The text is why the reload has failed."""
    stopping: Callable[[], None]
    """We are about to end. More than once, perhaps."""
    replaced: Callable[[int], None]
    """The master with this number serves in our place."""
    bequeath: Callable[[], Mapping[str, str]]
    """In the process that is to become another master: return what is added to its environment."""
    keep_alive: Callable[[], None]
    """Called again and again as long as the master's loop turns, ..."""
    interval: float
    """... after so many seconds at the latest; infinity where nobody wants to know."""
    start_directory: str
    """Where the command was given."""

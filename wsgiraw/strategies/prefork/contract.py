"""What a master is told to do, and what a worker is told of itself. Data alone."""

from collections.abc import Callable, Sequence
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
    start_directory: str
    """Where the command was given."""

"""How many descriptors this process may have open, which bounds its connections. Opens none."""

import resource
from contextlib import suppress

__all__ = ["raise_limit", "spare_descriptors"]

_MOST = 2**20


def raise_limit() -> None:
    """Allow this process and its children what the hard limit allows (getrlimit(2))."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # systems that have a limit besides this one (macOS)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def spare_descriptors() -> int:
    """Return how many connections there may be, some descriptors left for files, pipes and the application's own."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY or limit > _MOST:
        return _MOST
    return max(limit - max(limit // 8, 64), limit // 2)

"""The terminal that the command was given on, if any: it sends signals of its own."""

import os

__all__ = ["Terminal"]


class Terminal:
    """What SIGHUP and SIGWINCH mean depends on it: a terminal sends them when it is closed, or becomes larger."""

    def __init__(self) -> None:
        self._had_one = _has_one()

    def has_gone(self) -> bool:
        """Whether we had a terminal and it has been closed."""
        return self._had_one and not _has_one()

    def is_ours(self) -> bool:
        """Whether somebody works at it, who may make its window larger."""
        return any(_is_terminal(descriptor) for descriptor in (0, 2))


def _has_one() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False

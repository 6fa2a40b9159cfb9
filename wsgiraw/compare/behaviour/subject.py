"""What is looked at: a server that runs, as far as a check knows it, and how long it is waited for."""

from dataclasses import dataclass
from typing import Protocol

__all__ = ["NoAnswer", "Running", "Subject", "Verdict"]

Verdict = tuple[bool | None, str]
"""Whether it is good, None where that cannot be said; and in a few words, what the server did."""


class Running(Protocol):
    """A server that answers."""

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""

    def terminate(self) -> None:
        """Send SIGTERM to the process that was started; do not wait."""


class NoAnswer(Exception):
    """The server did not answer; the text says what happened instead."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The server, and the seconds after which an answer no longer counts."""

    server: Running
    patience: float

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return self.server.port

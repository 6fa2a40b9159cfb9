"""What a connection must make of some octets, as the model says it."""

from dataclasses import dataclass
from enum import Enum, auto

__all__ = ["Accepted", "End", "Incomplete", "Refused", "Verdict"]


class Refused(Exception):
    """A fault, with the statuses that may answer it."""


class Incomplete(Exception):
    """The octets end too early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A request that must be served. `fields` are CGI meta-variables, as the application gets them."""

    method: str
    target: str
    version: str
    path: str
    query: str
    fields: dict[str, str]
    keep_alive: bool
    body: bytes


class End(Enum):
    """What stands behind the accepted requests."""

    BETWEEN = auto()
    """Nothing, or the beginning of an empty line: the next request may begin."""
    INCOMPLETE = auto()
    """A part of a request: more must follow; the end of input is refused with 400 (RFC 9112 §8)."""
    REFUSED = auto()
    """A fault, whatever follows."""
    CLOSED = auto()
    """Whatever: the last request does not persist, and nothing behind it is read (RFC 9112 §9.6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The requests, what is behind them, and the statuses that a refusal may have, one for each fault."""

    requests: tuple[Accepted, ...]
    end: End
    statuses: frozenset[int] = frozenset()

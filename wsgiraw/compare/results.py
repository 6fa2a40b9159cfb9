"""All that a comparison has found: plain data, which becomes JSON and comes back. It judges nothing."""

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

from wsgiraw.errors import ConfigError

__all__ = ["FORMAT", "Comparison", "Finding", "Latency", "Load", "Results", "Round", "ServerResult", "from_json"]

FORMAT = 1
"""Counts changes of the JSON that older versions cannot read."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a closed loop has seen: each connection sends a request, reads the answer, sends the next."""

    seconds: float
    """How long requests were sent."""
    answered: int
    """Right answers within that time."""
    connections: int
    """How many connections were opened for them; 0 where nobody counted."""
    errors: dict[str, int]
    """How often what went wrong: `refused`, `closed`, `timeout`, `status 500`, `wrong answer`, ..."""
    generator_busy: float
    """Share of its core that the generator used: near 1, it measured itself."""
    late: int = 0
    """Right answers to what was sent within that time and answered after it: the server has worked for them, too."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """What an open loop has seen: requests at a steady rate, each timed from when it was meant to be sent."""

    rate: float
    """Requests per second that were to be sent."""
    seconds: float
    sent: int
    answered: int
    errors: dict[str, int]
    histogram: dict[int, int]
    """How many right answers took how long: the upper bound of a bucket in microseconds → their number."""
    generator_busy: float
    stalled: int = 0
    """Clients that stalled meanwhile: connections that had sent half a request."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One start of one server."""

    load: Load
    cpu: float
    """Seconds of CPU that all processes of the server used, user and system, while the load lasted."""
    peak_pss: int
    """Most memory of all its processes, bytes; what processes share counts once."""
    latency: list[Latency]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a server does in one of the situations of `behaviour`."""

    check: str
    """Name of the check: `stalls`, `sigterm`, ..."""
    good: bool | None
    """Whether that is what its clients need; None where the check could not be made."""
    answer: str
    """In a few words, what it did: `400`, `answers all`, `lost 3 of 20`."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ServerResult:
    """All about one server under one application."""

    name: str
    """As it was asked for, unique within the comparison: `gunicorn-gthread`, `wsgiraw`, `wsgiraw#2`."""
    version: str
    command: list[str]
    """Its command line; the port differs from start to start."""
    shape: str
    """Processes and threads in words: `1 process x 8 threads`."""
    state: str
    """`measured`, `absent` (not installed), `failed`, `different` (answers otherwise than the others) or `errors`."""
    note: str
    """What is to be said of it: the pip command, the fault, the difference; or how it keeps connections."""
    rounds: list[Round]
    behaviour: list[Finding]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One application under all servers."""

    application: str
    requests: list[str]
    """As a person would write them: `GET /add/2/3`."""
    servers: list[ServerResult]
    remarks: list[str] = dataclasses.field(default_factory=list)
    """What is to be said of the requests: that an answer differs from call to call."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Everything, with what is needed to judge and to repeat it."""

    format: int
    version: str
    """Of wsgiraw, which made the comparison."""
    began: str
    """ISO 8601, UTC."""
    command: list[str]
    """The command line that made it."""
    plan: dict[str, Any]
    """What was asked for: profile, rounds, seconds, connections, workers, threads."""
    machine: dict[str, str]
    """`cpu`, `cores`, `kernel`, `python`, `load`, `pinning`."""
    versions: dict[str, str]
    """Of the distributions that matter."""
    ceiling: float
    """Requests per second that the generator reaches against a constant responder; 0 where nobody knows."""
    comparisons: list[Comparison]

    def to_json(self) -> dict[str, Any]:
        """Return it as `json.dumps` takes it; numbers as keys become text."""
        return dataclasses.asdict(self)


def from_json(value: Any) -> Results:
    """Return the results that JSON holds. Raises ConfigError where it is of another format, or none of ours."""
    if not isinstance(value, dict) or "format" not in value:
        raise ConfigError("this is no file of results: make one with wsgiraw compare --save FILE")
    if value["format"] != FORMAT:
        raise ConfigError(f"these results have format {value['format']!r}, this version reads {FORMAT}: measure again")
    try:
        results: Results = _built(Results, value)
        return results
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"the results are damaged ({error!r}): measure again") from None


def _built(kind: Any, value: Any) -> Any:
    """Return `value` as what its annotation says."""
    origin, arguments = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        if not isinstance(value, Mapping) or value.keys() - hints.keys():
            raise ValueError(f"{value!r} is no {kind.__name__}")
        return kind(**{name: _built(hints[name], item) for name, item in value.items()})
    if origin is list:
        return [_built(arguments[0], item) for item in value]
    if origin is dict:
        return {_built(arguments[0], key): _built(arguments[1], item) for key, item in value.items()}
    if isinstance(kind, types.UnionType):
        return value
    return value if kind is Any else kind(value)

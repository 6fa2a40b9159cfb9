"""What a connection makes of octets, as a value that can be compared: every test of cuts and refusals uses it."""

from collections.abc import Iterable
from io import BytesIO
from typing import NamedTuple

from wsgiraw.errors import HTTPError
from wsgiraw.http11 import Connection, Limits, Request, State

__all__ = ["Outcome", "Seen", "cut", "outcome", "seen"]


class Seen(NamedTuple):
    """One request as a gateway would get it."""

    method: str
    target: str
    version: str
    path: str
    query: str
    fields: dict[str, str]
    keep_alive: bool
    body: bytes


class Outcome(NamedTuple):
    """The requests, and the status of the refusal behind them, None where there is none."""

    requests: list[Seen]
    status: int | None


def outcome(pieces: Iterable[bytes], limits: Limits | None = None) -> Outcome:
    """Receive each piece, then the end, and answer every request at once."""
    connection = Connection(limits or Limits(), BytesIO)
    found: list[Seen] = []
    try:
        for piece in pieces:
            connection.receive(piece)
            _take(connection, found)
            if connection.state is State.CLOSED:
                return Outcome(found, None)
        connection.receive(b"")
        _take(connection, found)
    except HTTPError as error:
        assert connection.state is State.CLOSED
        assert connection.next_request() is None, "a connection that was refused serves on"
        return Outcome(found, error.status.value)
    assert connection.state is State.CLOSED, "the client has sent its last octet and the connection waits for more"
    return Outcome(found, None)


def _take(connection: Connection, found: list[Seen]) -> None:
    while (request := connection.next_request()) is not None:
        assert connection.state is State.RESPONDING
        found.append(seen(request))


def seen(request: Request) -> Seen:
    """Return what a gateway would get; the body is read."""
    return Seen(
        request.method,
        request.target,
        request.version,
        request.path,
        request.query,
        dict(request.fields),
        request.keep_alive,
        b"" if request.body is None else request.body.read(),
    )


def cut(octets: bytes, *positions: int) -> list[bytes]:
    """Return the octets in pieces that end at these positions, without empty ones."""
    ends = [*sorted(positions), len(octets)]
    begins = [0, *ends[:-1]]
    return [octets[begin:end] for begin, end in zip(begins, ends, strict=True) if begin < end]

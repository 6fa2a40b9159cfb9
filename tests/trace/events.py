"""The JSON lines of a trace, read while they are written, and an application that does what there is to trace."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["SECRET", "Event", "application", "named", "octets", "read"]

Event = dict[str, Any]

SECRET = "c2VjcmV0"
"""What must not be seen."""


def read(path: Path) -> list[Event]:
    """Return the events that are there; each line is one."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def named(events: Iterable[Event], *names: str) -> list[Event]:
    """Return the events with these names."""
    return [event for event in events if event["event"] in names]


def octets(events: Iterable[Event], name: str) -> bytes:
    """Return the text of all octets of one direction."""
    return "".join(event.get("text", "") for event in named(events, name)).encode()


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer with a body of the kind that the path asks for."""
    path = environ["PATH_INFO"]
    if path == "/fail":
        raise LookupError("in vain")
    body = environ["wsgi.input"].read(-1)
    fields = [("Content-Type", "text/plain")]
    if path == "/cookie":
        fields.append(("Set-Cookie", f"session={SECRET}"))
    write = start_response("200 OK", fields)
    if path == "/stream":
        return stream(5)
    if path == "/break":
        return stream(2)
    if path == "/write":
        write(b"written\n")
        return [b"returned\n"]
    if path == "/file":
        return environ["wsgi.file_wrapper"](Path(os.__file__).open("rb"))  # type: ignore[no-any-return]
    if path == "/large":
        return [b"x" * 300_000, b"Cookie: shown\n"]
    if path == "/in-memory":
        return iter([b"one\n", b"two\n"])
    return [f"{path} has a body of {len(body)}\n".encode()]


def stream(pieces: int) -> Iterator[bytes]:
    """Yield pieces; fewer than three break off."""
    for number in range(pieces):
        yield b"piece %d\n" % number
    if pieces < 3:
        raise LookupError("in the middle")

"""A raw HTTP client for tests: octets out, octets in, and responses taken apart without mending anything."""

import os
import socket
import weakref
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Listening", "Reply", "closed_in_children", "connect", "exchange", "read_all", "replies"]

PATIENCE = 20.0
"""Seconds after which a test that waits has failed."""


_clients: "weakref.WeakSet[socket.socket]" = weakref.WeakSet()


def _close_in_child() -> None:
    """Close in a forked process, such as serves a connection, the clients' ends, which would stay open otherwise."""
    for client in _clients:
        if client.fileno() >= 0:
            os.close(client.fileno())


os.register_at_fork(after_in_child=_close_in_child)


def closed_in_children(client: socket.socket) -> None:
    """Have forked processes close their share of a client's end: it would stay open as long as they live."""
    _clients.add(client)


class Listening(Protocol):
    """A server of whatever kind, as clients know it."""

    @property
    def port(self) -> int:
        """Return the port of its first listener on loopback."""


@dataclass(frozen=True)
class Reply:
    """One response as it was on the wire; field names in lower case."""

    status: int
    reason: str
    fields: list[tuple[str, str]]
    body: bytes

    def field(self, name: str) -> str | None:
        """Return the value of a field that occurs at most once."""
        values = [value for key, value in self.fields if key == name.lower()]
        assert len(values) <= 1, f"{name} occurs {len(values)} times"
        return values[0] if values else None


def connect(server: Listening) -> socket.socket:
    """Return a connection to a server's first listener."""
    client = socket.socket()
    closed_in_children(client)  # before the server can fork because of it
    client.settimeout(PATIENCE)
    try:
        client.connect(("127.0.0.1", server.port))
    except OSError:
        client.close()
        raise
    return client


def exchange(server: Listening, octets: bytes, *, half_close: bool = True) -> bytes:
    """Send octets on a new connection; return all that comes back until the server closes."""
    with connect(server) as client:
        client.sendall(octets)
        if half_close:
            client.shutdown(socket.SHUT_WR)
        return read_all(client)


def read_all(client: socket.socket) -> bytes:
    """Return all that comes until the server closes."""
    received = bytearray()
    while data := client.recv(65536):
        received += data
    return bytes(received)


def replies(octets: bytes, *methods: str) -> list[Reply]:
    """Take responses apart; `methods` are those of the requests (GET where none is given). Interim ones count."""
    found: list[Reply] = []
    pending = list(methods)
    while octets:
        head, separator, rest = octets.partition(b"\r\n\r\n")
        assert separator, f"a head without an end: {head!r}"
        status_line, *lines = head.decode("latin-1").split("\r\n")
        version, status, reason = status_line.split(" ", 2)
        assert version == "HTTP/1.1"
        fields = [(line.partition(":")[0].lower(), line.partition(":")[2].strip()) for line in lines]
        named = dict(fields)
        method = "GET" if status.startswith("1") or not pending else pending.pop(0)
        if method == "HEAD" or status in ("204", "304") or status.startswith("1"):
            body, octets = b"", rest
        elif named.get("transfer-encoding") == "chunked":
            body, octets = _chunks(rest)
        elif "content-length" in named:
            length = int(named["content-length"])
            body, octets = rest[:length], rest[length:]
            assert len(body) == length, f"{len(body)} of {length} octets of body"
        else:
            body, octets = rest, b""
        found.append(Reply(int(status), reason, fields, body))
    return found


def _chunks(octets: bytes) -> tuple[bytes, bytes]:
    body, start = bytearray(), 0
    while True:
        end = octets.find(b"\r\n", start)
        assert end >= 0, "a chunked body without an end"
        count = int(octets[start:end], 16)
        start, end = end + 2, end + 2 + count
        body += octets[start:end]
        assert octets[end : end + 2] == b"\r\n", "a chunk without an end"
        start = end + 2
        if count == 0:
            return bytes(body), octets[start:]

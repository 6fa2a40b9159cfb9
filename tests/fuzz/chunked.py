"""The model of a body in chunks (RFC 9112 §7.1)."""

from tests.fuzz.grammar import CHUNK_LINE, FIELD_LINE
from tests.fuzz.verdict import Incomplete, Refused
from wsgiraw.http11 import Limits

__all__ = ["read_chunked"]


def read_chunked(octets: bytes, limits: Limits) -> tuple[bytes, bytes]:
    """Return a body that is sent in chunks (RFC 9112 §7.1), and what is behind it."""
    body = b""
    while True:
        line, octets = read_line(octets, limits.chunk_line + 2, 400)
        chunk_line = CHUNK_LINE.fullmatch(line.decode("latin-1"))
        if not chunk_line:
            raise Refused(400)
        size = int(chunk_line[1], 16)
        if len(body) + size > limits.body:
            raise Refused(413)
        if size == 0:
            return body, read_trailer(octets, limits)
        body += octets[:size]
        octets = octets[size:]
        if not b"\r\n".startswith(octets[:2]):
            raise Refused(400)
        if len(octets) < 2:
            raise Incomplete
        octets = octets[2:]


def read_trailer(octets: bytes, limits: Limits) -> bytes:
    """Return what is behind a trailer section (RFC 9112 §7.1.2) and its empty line."""
    room = limits.trailer
    while True:
        line, octets = read_line(octets, room, 431)
        room -= len(line)
        if line == b"\r\n":
            return octets
        if not line.endswith(b"\r\n") or not FIELD_LINE.fullmatch(line[:-2].decode("latin-1")):
            raise Refused(400)


def read_line(octets: bytes, room: int, status: int) -> tuple[bytes, bytes]:
    """Return the first line with its LF, and what is behind it; `status` refuses one for which there is no room."""
    line, newline, rest = octets.partition(b"\n")
    if len(line + newline) > room:
        raise Refused(status, 400)  # perhaps it is malformed, too
    if not newline:
        raise Incomplete
    return line + newline, rest

"""What a request must be answered with, and the answer that arrives: octets → status, framing, body (RFC 9112 §6).

Sans-IO. Reading an answer in full costs some µs, so `Answer` keeps the last octets that were found right: whoever
receives the same once more need not read them.
"""

import re
from dataclasses import dataclass

__all__ = ["ROOM", "Answer", "Expected", "Malformed", "Reading"]

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: [^\r\n]*)?")
_FIELD_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?")
ROOM, MUCH_ROOM = 65536, 262144
"""Octets to receive at once: usually, and where a long answer is known to come. That has costs for a short one (20 µs
more, measured), and takes a long one in half the time."""

_LONGEST_HEAD = 1 << 20
_LONGEST = 1 << 30
_LONGEST_SIZE_LINE = 4096
_UNTIL_CLOSE, _CHUNKED = -1, -2


class Malformed(Exception):
    """The octets are no answer of HTTP/1.1; the text says why."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The right answer to a request, as far as it matters."""

    status: int = 200
    body: bytes | None = None
    """None: any body will do, if its framing is right."""
    to_head: bool = False
    """It answers a HEAD: whatever its fields say, no body follows (RFC 9110 §9.3.2)."""


class Reading:
    """One final answer that arrives piece by piece; interim ones before it are skipped."""

    __slots__ = ("_at", "_chunks", "_length", "_start", "octets", "persists", "status", "to_head")

    def __init__(self, to_head: bool = False) -> None:
        self.to_head = to_head
        self.octets = bytearray()
        """All that has arrived."""
        self.status = 0
        """0 while the head is incomplete."""
        self.persists = False
        """The connection may be used for another request (RFC 9112 §9.3)."""
        self._at = 0
        """As far as it has been read."""
        self._start = 0
        """Where the body begins."""
        self._length = 0
        """Octets of the body, or one of the two other kinds of framing."""
        self._chunks: list[bytes] = []

    @property
    def until_close(self) -> bool:
        """The body ends where the connection does."""
        return self._length == _UNTIL_CLOSE

    @property
    def body(self) -> bytes:
        """What is there of the body, chunks joined."""
        return b"".join(self._chunks) if self._length == _CHUNKED else bytes(self.octets[self._start :])

    def feed(self, data: bytes) -> bool:
        """Take octets; return whether the answer is complete. Raises Malformed, also for octets behind it."""
        self.octets += data
        if len(self.octets) > _LONGEST:
            raise Malformed("an answer without an end")
        while not self.status:
            end = self.octets.find(b"\r\n\r\n", max(self._at, 0))
            if end < 0:
                if len(self.octets) - self._start > _LONGEST_HEAD:
                    raise Malformed("a head without an end")
                self._at = max(len(self.octets) - 3, self._start)
                return False
            self._read_head(bytes(self.octets[self._start : end]))
            self._at = self._start = end + 4
        if self._length == _UNTIL_CLOSE:
            return False
        end = self._read_chunks() if self._length == _CHUNKED else self._start + self._length
        if end < 0 or len(self.octets) < end:
            return False
        if len(self.octets) > end:
            raise Malformed("octets behind the answer")
        return True

    def ended(self) -> bool:
        """Return whether the answer is complete if the connection has ended here."""
        return self.status > 0 and self._length == _UNTIL_CLOSE

    def _read_head(self, head: bytes) -> None:
        """Set status, framing and persistence, unless it is an interim answer."""
        status_line, *lines = head.split(b"\r\n")
        match = _STATUS_LINE.fullmatch(status_line)
        if match is None:
            raise Malformed("no status line")
        status = int(match[2])
        fields: dict[bytes, list[bytes]] = {}
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon or not _FIELD_NAME.fullmatch(name) or b"\n" in value or b"\r" in value:
                raise Malformed("no field line")
            fields.setdefault(name.lower(), []).append(value.strip(b" \t"))
        if status < 200:
            if status == 101:
                raise Malformed("a change of protocol that nobody asked for")
            return
        self._length = _framing(status, fields, self.to_head)
        options = b",".join(fields.get(b"connection", ())).lower().split(b",")
        options = [option.strip(b" \t") for option in options]
        self.persists = (match[1] == b"1" or b"keep-alive" in options) and b"close" not in options
        self.persists &= self._length != _UNTIL_CLOSE
        self.status = status

    def _read_chunks(self) -> int:
        """Take the chunks that are complete; return where the last has ended, -1 while more must arrive (§7.1)."""
        octets = self.octets
        while True:
            line_end = octets.find(b"\r\n", self._at, self._at + _LONGEST_SIZE_LINE)
            if line_end < 0:
                if len(octets) - self._at >= _LONGEST_SIZE_LINE:
                    raise Malformed("no chunk size")
                return -1
            match = _CHUNK_SIZE.fullmatch(octets, self._at, line_end)
            if match is None:
                raise Malformed("no chunk size")
            size, start = int(match[1], 16), line_end + 2
            if size == 0:
                if octets.startswith(b"\r\n", start):
                    return start + 2
                trailer_end = octets.find(b"\r\n\r\n", start)
                return trailer_end + 4 if trailer_end >= 0 else -1
            if len(octets) < start + size + 2:
                return -1
            if not octets.startswith(b"\r\n", start + size):
                raise Malformed("a chunk without an end")
            self._chunks.append(bytes(octets[start : start + size]))
            self._at = start + size + 2


def _framing(status: int, fields: dict[bytes, list[bytes]], to_head: bool) -> int:
    """Return how long the body is, or which kind of framing it has (RFC 9112 §6.3)."""
    lengths, codings = fields.get(b"content-length", []), fields.get(b"transfer-encoding", [])
    if any(length != lengths[0] or not length.isdigit() for length in lengths) or (lengths and codings):
        raise Malformed("framing that contradicts itself")
    if to_head or status in (204, 304):
        return 0
    if codings:
        if [coding.lower() for coding in codings] != [b"chunked"]:
            raise Malformed("an unknown transfer coding")
        return _CHUNKED
    return int(lengths[0]) if lengths else _UNTIL_CLOSE


class Answer:
    """What is expected, and the octets that were last found to be that."""

    __slots__ = ("closing", "expected", "known", "room")

    def __init__(self, expected: Expected) -> None:
        self.expected = expected
        self.known: bytes | None = None
        """The last right answer after which the connection persists."""
        self.closing: bytes | None = None
        """The last one that says where it ends, and that the connection then does, too."""
        self.room = ROOM
        """How much to receive at once."""

    def judge(self, reading: Reading) -> str:
        """Return what is wrong with a complete answer, and "" if nothing is; then it is remembered."""
        if reading.status != self.expected.status:
            return f"status {reading.status}"
        if self.expected.body is not None and not self.expected.to_head and reading.body != self.expected.body:
            return "wrong answer"
        self.room = ROOM if len(reading.octets) < ROOM else MUCH_ROOM
        if reading.persists:
            self.known = bytes(reading.octets)
        elif not reading.until_close:
            self.closing = bytes(reading.octets)
        return ""

"""Request bodies: where their octets are kept, and the two ways of framing them (RFC 9112 §6.2, §7.1)."""

import sys
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from http import HTTPStatus
from io import BytesIO
from typing import BinaryIO, Protocol

from wsgiraw.errors import HTTPError
from wsgiraw.http11.grammar import CHUNK_EXTENSIONS, CHUNK_SIZE, LINE_OCTETS
from wsgiraw.http11.head import field_error
from wsgiraw.http11.limits import Limits
from wsgiraw.http11.memory import FREE, BodyMemory, HeldBody

__all__ = ["Body", "ChunkedBody", "LengthBody", "Spool"]


class Spool:
    """Octets kept in memory up to `memory` bytes, then in the file that `open_file` gives (a temporary one).

    Where memory is `shared` and no more of it is left, they go to the file sooner.
    """

    __slots__ = ("_file", "_memory", "_most", "_open_file", "_shared", "size")

    def __init__(self, memory: int, open_file: Callable[[], BinaryIO], shared: BodyMemory | None = None) -> None:
        self._most = memory
        self._memory = memory if shared is None else min(memory, FREE)
        self._shared = shared
        self._open_file = open_file
        self._file: BinaryIO = BytesIO()
        self.size = 0

    def write(self, octets: bytes) -> None:
        """Keep `octets`. Raises `OSError` where the file cannot take them."""
        self.size += len(octets)
        while self.size > self._memory:
            self._memory = self._enlarge()
        self._file.write(octets)

    def _enlarge(self) -> int:
        """Find more room; return how much there is now."""
        file = self._file
        if self.size <= self._most and self._shared is not None:
            if not isinstance(file, HeldBody):
                held = HeldBody(self._shared)
                self._move(file, held)
                file = held
            if (memory := file.take()) != 0:
                return min(memory, self._most)
        self._move(file, self._open_file())
        file.close()
        return sys.maxsize

    def _move(self, kept: BinaryIO, file: BinaryIO) -> None:
        """Keep in `file` what has been kept so far."""
        try:
            file.write(kept.getbuffer())  # type: ignore[attr-defined]  # it is a BytesIO until it is a file
        except OSError:
            with suppress(OSError):  # what is still buffered finds no room either
                file.close()
            raise
        self._file = file

    def finish(self) -> BinaryIO:
        """Return what was kept, to be read from its beginning."""
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Give up what was kept, even where a full disk cannot take what is still buffered."""
        with suppress(OSError, ValueError):
            self._file.close()


class Body(Protocol):
    """A body that is arriving. `receive` takes the octets of `data` from `start` and returns where it stopped."""

    complete: bool
    spool: Spool

    def receive(self, data: bytes, start: int) -> int: ...


class LengthBody:
    """A body framed by Content-Length (RFC 9112 §6.2)."""

    __slots__ = ("_remaining", "complete", "spool")

    def __init__(self, length: int, spool: Spool) -> None:
        self._remaining = length
        self.complete = False
        self.spool = spool

    def receive(self, data: bytes, start: int) -> int:
        """Take up to the announced length."""
        piece = data[start : start + self._remaining]
        self.spool.write(piece)
        self._remaining -= len(piece)
        self.complete = self._remaining == 0
        return start + len(piece)


class _Part(Enum):
    SIZE = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILER = auto()


class ChunkedBody:
    """A body in chunks (RFC 9112 §7.1). Their extensions and the trailer fields are checked and discarded."""

    __slots__ = ("_limits", "_line", "_part", "_remaining", "_trailer_size", "complete", "spool")

    def __init__(self, limits: Limits, spool: Spool) -> None:
        self._limits = limits
        self._part = _Part.SIZE
        self._line = bytearray()
        """A line whose end has not arrived yet."""
        self._remaining = 0
        self._trailer_size = 0
        self.complete = False
        self.spool = spool

    def receive(self, data: bytes, start: int) -> int:
        """Take octets up to the end of the body. Raises `HTTPError` 400, 413 or 431."""
        end = len(data)
        while start < end and not self.complete:
            if self._part is _Part.SIZE and not self._line:
                start = self._take_whole_chunks(data, start)
                if start == end:
                    break
            if self._part is _Part.DATA:
                piece = data[start : start + self._remaining]
                self.spool.write(piece)
                start += len(piece)
                self._remaining -= len(piece)
                if not self._remaining:
                    self._part = _Part.DATA_END
                continue
            newline = data.find(b"\n", start)
            line_end = newline + 1 or end
            self._line += data[start:line_end]
            start = line_end
            self._check_size()
            if newline >= 0:
                line = bytes(self._line)
                self._line.clear()
                self._read_line(line)
        return start

    def _take_whole_chunks(self, data: bytes, start: int) -> int:
        """Take chunks that are here from beginning to end, without extensions: nearly all. Leave the rest to others.

        Small ones are what a client can make work with, so they are taken in a few steps each and kept together.
        """
        pieces = []
        room = self._limits.body - self.spool.size
        while (line_end := data.find(b"\r\n", start, start + 18)) > 0:
            if not CHUNK_SIZE.fullmatch(data, start, line_end):
                break
            size = int(data[start:line_end], 16)
            stop = line_end + 2 + size
            if not size or data[stop : stop + 2] != b"\r\n" or size > room:
                break
            room -= size
            pieces.append(data[line_end + 2 : stop])
            start = stop + 2
        if pieces:
            self.spool.write(b"".join(pieces))
        return start

    def _check_size(self) -> None:
        """Judge a line by its length, complete or not, so that the answer does not depend on how it arrives."""
        size = len(self._line)
        if self._part is _Part.SIZE and size > self._limits.chunk_line + 2:
            raise _bad("chunk-size line is too long")
        if self._part is _Part.DATA_END and not b"\r\n".startswith(self._line):
            raise _bad("chunk data is not followed by CRLF")
        if self._part is _Part.TRAILER and self._trailer_size + size > self._limits.trailer:
            raise HTTPError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "trailer section is too long")

    def _read_line(self, line: bytes) -> None:
        if not line.endswith(b"\r\n"):
            raise _bad("bare LF in a chunked body: lines end with CRLF")  # RFC 9112 §2.2
        if self._part is _Part.SIZE:
            self._read_size(line[:-2])
        elif self._part is _Part.DATA_END:
            self._part = _Part.SIZE
        elif line == b"\r\n":
            self.complete = True
        else:
            self._trailer_size += len(line)
            _check_trailer(line[:-2])

    def _read_size(self, line: bytes) -> None:
        match = CHUNK_SIZE.match(line)
        if match is None:
            raise _bad("malformed chunk size")  # RFC 9112 §7.1
        if match.end() != len(line) and not CHUNK_EXTENSIONS.fullmatch(line, match.end()):
            raise _bad("malformed chunk size or extension")  # RFC 9112 §7.1.1
        self._remaining = int(match[0], 16)
        if self.spool.size + self._remaining > self._limits.body:
            raise HTTPError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request body is too large")
        self._part = _Part.DATA if self._remaining else _Part.TRAILER


def _check_trailer(line: bytes) -> None:
    """Refuse what is no field line (RFC 9112 §7.1.2). What it says is discarded: framing cannot come this late."""
    if line.translate(None, LINE_OCTETS):
        raise _bad("control character in the trailer section")
    text = line.decode("latin-1")
    if (error := field_error(text.partition(":")[0], text)) is not None:
        raise _bad(error.replace("request head", "trailer section"))


def _bad(detail: str) -> HTTPError:
    return HTTPError(HTTPStatus.BAD_REQUEST, detail)

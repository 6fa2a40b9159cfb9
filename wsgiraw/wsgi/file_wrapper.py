"""`wsgi.file_wrapper` (PEP 3333 "Optional Platform-Specific File Handling"): a file that may bypass Python."""

import os
import stat
from collections.abc import Iterator
from io import FileIO
from typing import NamedTuple, Protocol, final

__all__ = ["FileSegment", "FileSlice", "FileWrapper"]


@final
class FileSegment(NamedTuple):
    """Octets of an open regular file that a strategy sends with `os.sendfile`."""

    descriptor: int
    offset: int
    size: int


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class FileWrapper:
    """An iterable over blocks of a file-like object, which a server may send faster than by iterating."""

    def __init__(self, filelike: _Readable, blksize: int = 64 * 1024) -> None:
        self.filelike = filelike
        self.blksize = blksize
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self) -> Iterator[bytes]:
        while block := self.filelike.read(self.blksize):
            yield block

    def segment(self) -> FileSegment | None:
        """Return what is left to read of a regular file on disk; None for anything else.

        A descriptor is no proof: `gzip.open` has one too, of octets that are not those that it reads.
        """
        opened = getattr(self.filelike, "file", self.filelike)  # what tempfile and Django wrap
        if not isinstance(getattr(opened, "raw", opened), FileIO):
            return None
        try:
            descriptor = self.filelike.fileno()  # type: ignore[attr-defined]
            offset = self.filelike.tell()  # type: ignore[attr-defined]
            status = os.fstat(descriptor)
        except (AttributeError, OSError, ValueError):
            return None
        if not stat.S_ISREG(status.st_mode) or not status.st_size:  # what is in /proc has a size only once it is read
            return None
        return FileSegment(descriptor, offset, max(status.st_size - offset, 0))


class FileSlice(FileWrapper):
    """A part of a regular file by its descriptor, which is closed with it; no system call before it is sent.

    Iterating gives the same octets, for whoever does not send files.
    """

    def __init__(self, descriptor: int, offset: int, size: int, blksize: int = 64 * 1024) -> None:
        self._segment = FileSegment(descriptor, offset, size)
        self._open = True
        self.blksize = blksize

    def __iter__(self) -> Iterator[bytes]:
        descriptor, offset, size = self._segment
        stop = offset + size
        while offset < stop and (block := os.pread(descriptor, min(self.blksize, stop - offset), offset)):
            offset += len(block)
            yield block

    def segment(self) -> FileSegment:
        """Return it."""
        return self._segment

    def close(self) -> None:
        """Close the file. Closing twice is allowed: the descriptor may be another file's by then."""
        if self._open:
            self._open = False
            os.close(self._segment.descriptor)

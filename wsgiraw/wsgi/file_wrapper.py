"""`wsgi.file_wrapper` (PEP 3333 "Optional Platform-Specific File Handling"): a file that may bypass Python."""

import os
import stat
from collections.abc import Iterator
from io import FileIO
from typing import NamedTuple, Protocol

__all__ = ["FileSegment", "FileWrapper"]


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

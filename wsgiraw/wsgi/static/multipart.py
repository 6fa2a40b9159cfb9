"""Several parts of a file as one body, multipart/byteranges (RFC 9110 §14.6), read as it is sent. Checks nothing."""

import os
from collections.abc import Iterator, Sequence

from wsgiraw.wsgi.file_wrapper import FileSlice
from wsgiraw.wsgi.static.ranges import Slice

__all__ = ["Multipart"]


class Multipart:
    """An iterable over the octets of parts of a file, by its descriptor, which is closed with it."""

    def __init__(self, descriptor: int, slices: Sequence[Slice], size: int, content_type: str) -> None:
        """`size` is that of the whole file."""
        boundary = os.urandom(16).hex()  # nobody can have put it into the file
        self._file = FileSlice(descriptor, 0, size)
        self._parts: list[tuple[bytes, FileSlice]] = []
        for offset, length in slices:
            head = (
                f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\n"
                f"Content-Range: bytes {offset}-{offset + length - 1}/{size}\r\n\r\n"
            )
            self._parts.append((head.encode("latin-1"), FileSlice(descriptor, offset, length)))
        self._end = f"\r\n--{boundary}--\r\n".encode("latin-1")
        self.content_type = f"multipart/byteranges; boundary={boundary}"
        self.size = len(self._end) + sum(len(head) for head, _ in self._parts) + sum(length for _, length in slices)

    def __iter__(self) -> Iterator[bytes]:
        for head, part in self._parts:
            yield head
            missing = part.segment().size
            for block in part:
                missing -= len(block)
                yield block
            if missing:
                return  # the file became shorter: nothing may look as if this part were whole
        yield self._end

    def close(self) -> None:
        """Close the file."""
        self._file.close()

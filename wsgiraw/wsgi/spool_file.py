"""Where octets go that are too many for memory: an unnamed file that disappears when it is closed."""

import os
import tempfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from wsgiraw.wsgi.file_wrapper import FileSegment

__all__ = ["open_spool_file", "unsent_octets"]


def open_spool_file() -> BinaryIO:
    """Return a new temporary file in TMPDIR. Raises `OSError`."""
    return cast(BinaryIO, tempfile.TemporaryFile())


def unsent_octets(spooled: BinaryIO) -> Iterator[bytes | FileSegment]:
    """Yield all of a spool, which `write()` could not send at once, and close it."""
    with spooled:
        if hasattr(spooled, "getvalue"):
            yield spooled.getvalue()
        else:
            spooled.flush()
            yield FileSegment(spooled.fileno(), 0, os.fstat(spooled.fileno()).st_size)

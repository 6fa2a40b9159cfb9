"""Where octets go that are too many for memory: an unnamed file that disappears when it is closed."""

import tempfile
from typing import BinaryIO, cast

__all__ = ["open_spool_file"]


def open_spool_file() -> BinaryIO:
    """Return a new temporary file in TMPDIR. Raises `OSError`."""
    return cast(BinaryIO, tempfile.TemporaryFile())

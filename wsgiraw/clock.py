"""Time as the server needs it: read once per wake-up of a loop, rendered once a second. It never sleeps."""

import time
from email.utils import formatdate

__all__ = ["Clock"]


class Clock:
    """What time it is, as of the last `update()`. Reading it costs an attribute."""

    __slots__ = ("_next_second", "http_date", "log_date", "now")

    def __init__(self) -> None:
        self.now = 0.0
        """Monotonic seconds: for timeouts and durations."""
        self.http_date = ""
        """The Date field line with its CRLF (RFC 9110 §5.6.7, §6.6.1)."""
        self.log_date = ""
        """Local time as access logs have it: `[21/Nov/2026:04:29:21 +0000]`."""
        self._next_second = 0.0
        self.update()

    def update(self) -> float:
        """Read the clock; return `now`."""
        self.now = now = time.monotonic()
        if now >= self._next_second:
            wall = time.time()
            self._next_second = now + 1 - wall % 1
            self.http_date = f"Date: {formatdate(wall, usegmt=True)}\r\n"
            local = time.localtime(wall)
            self.log_date = time.strftime(f"[%d/{_MONTHS[local.tm_mon - 1]}/%Y:%H:%M:%S %z]", local)
        return now


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # not the locale's

"""What an operator sees: the error log, the access log and the banner. Nothing here decides anything."""

import logging
import os
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TextIO

from wsgiraw.clock import Clock
from wsgiraw.errors import ConfigError

__all__ = ["AccessLog", "banner", "log", "open_access_log", "reopen", "set_up_error_log", "wants_colour"]

log = logging.getLogger("wsgiraw")
"""The error log. As a library nothing is configured; the command line sends it to `--error-logfile`."""

_ESCAPES = {octet: f"\\x{octet:02x}" for octet in [*range(0x20), 0x22, 0x5C, *range(0x7F, 0x100)]}
_COLOURS = {2: "\x1b[32m", 3: "\x1b[36m", 4: "\x1b[33m", 5: "\x1b[31m"}
_RESET = "\x1b[0m"


class AccessLog:
    """One line per exchange in Apache's combined format, written at once in one piece."""

    def __init__(self, file: TextIO, clock: Clock) -> None:
        self._descriptor = file.fileno()
        self._file = file
        self._clock = clock
        self._colour = wants_colour(file)
        self._closed = False
        self._lock = threading.Lock()
        """Held to write and to close: a late line must not go to whoever has the descriptor next."""

    def write(self, peer: str, request_line: str, status: int, size: int, fields: Mapping[str, str]) -> None:
        """Write a line. `size` is octets of body; `fields` are the request's CGI meta-variables."""
        shown = f"{_COLOURS.get(status // 100, '')}{status}{_RESET}" if self._colour else str(status)
        referer = fields.get("HTTP_REFERER", "-")
        agent = fields.get("HTTP_USER_AGENT", "-")
        text = request_line + referer + agent
        if not (text.isascii() and text.isprintable()) or '"' in text or "\\" in text:
            request_line, referer, agent = (part.translate(_ESCAPES) for part in (request_line, referer, agent))
        line = (
            f'{peer or "-"} - - {self._clock.log_date} "{request_line}" {shown} {size or "-"} "{referer}" "{agent}"\n'
        )
        try:
            with self._lock:
                if not self._closed:
                    os.write(self._descriptor, line.encode("ascii", "backslashreplace"))
        except OSError as error:  # a full disk or a closed pipe must not cost anybody an answer
            log.error("access log: %s", error)

    def reopen(self) -> None:
        """Write to the file that has its name now, after the old one was moved away."""
        reopen(self._file)

    def close(self) -> None:
        """Close the file unless it is the process's own output."""
        with self._lock:
            self._closed = True
            if self._file not in (sys.stdout, sys.stderr):
                self._file.close()


def wants_colour(file: TextIO) -> bool:
    """Whether `file` is a terminal of somebody who has not set NO_COLOR (https://no-color.org)."""
    return file.isatty() and not os.environ.get("NO_COLOR")


def open_access_log(destination: str | None, clock: Clock) -> AccessLog | None:
    """Open `--access-logfile`: None is standard output where that is a terminal, "-" standard output, "off" nothing.

    Raises `ConfigError`.
    """
    if destination is None:
        destination = "-" if sys.stdout is not None and sys.stdout.isatty() else "off"
    if destination == "off":
        return None
    if destination != "-":
        return AccessLog(_open(destination), clock)
    if sys.stdout is None:  # what Python makes of a process that was started with it closed
        raise ConfigError("the access log goes to standard output, which is closed: give a file, or off")
    return AccessLog(sys.stdout, clock)


def _open(path: str) -> TextIO:
    try:
        return Path(path).absolute().open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise ConfigError(f"cannot write the log {path}: {error.strerror or error}") from error


def set_up_error_log(destination: str, level: str) -> TextIO:
    """Send the error log to a path, or "-" for standard error; return the stream, which is `wsgi.errors` too.

    Raises `ConfigError`.
    """
    if destination == "-" and sys.stderr is None:  # as Python has it in a process that was started with it closed
        destination = os.devnull
    stream = sys.stderr if destination == "-" else _open(destination)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s"))
    log.handlers[:] = [handler]
    log.setLevel(level.upper())
    log.propagate = False
    return stream


def reopen(file: TextIO) -> None:
    """Let a log go to the file that has its name now. Its descriptor stays, so that no writer is disturbed."""
    if file in (sys.stdout, sys.stderr):
        return
    try:
        fresh = os.open(file.name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        log.error("cannot reopen the log %s: %s", file.name, error.strerror)
        return
    os.dup2(fresh, file.fileno(), inheritable=False)
    os.close(fresh)


def banner(version: str, urls: Iterable[str], shape: str) -> str:
    """Return what is said once the server listens; `shape` is processes and strategy."""
    return f"wsgiraw {version} · {shape} · pid {os.getpid()} · {' '.join(urls)} · Ctrl-C stops it"

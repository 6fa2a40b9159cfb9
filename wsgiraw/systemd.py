"""What systemd has given us and what it wants to hear: passed sockets, how we are, a watchdog. Without it, no effect.

sd_listen_fds(3), sd_notify(3) and sd_watchdog_enabled(3) say how; Type=notify and notify-reload of systemd.service(5)
say what for. The variables are read once and removed, so that nothing the application starts takes them for its own.
It listens nowhere and knows nothing of what is served.
"""

import math
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from typing import NamedTuple

from wsgiraw.errors import ConfigError

__all__ = ["PassedSocket", "ServiceManager"]

_FIRST = 3
"""SD_LISTEN_FDS_START: the first descriptor that is passed."""

_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)

_PATIENCE = 1.0
"""Seconds that systemd has to make room for a message."""

_CLOSER = 10
"""A loop that does not turn is looked at so many times more often: it is well again as soon as it turns."""


class PassedSocket(NamedTuple):
    """A descriptor, and what FileDescriptorName= of the socket unit calls it."""

    descriptor: int
    name: str

    @property
    def address(self) -> str:
        """As `--bind` has it."""
        return f"fd://{self.descriptor}"

    def check(self) -> None:
        """Raise `ConfigError` unless one can accept from it."""
        if not _accepts(self.descriptor):
            raise ConfigError(
                f"descriptor {self.descriptor} ({self.name}), which systemd has passed, is no listening stream socket: "
                "give the socket unit ListenStream= and Accept=no"
            )


class _Phase(Enum):
    STARTING = auto()
    """Nothing is said: another serves, perhaps, whose successor we are to be, and may fail to be."""
    SERVING = auto()
    STOPPING = auto()


class ServiceManager:
    """systemd, or another that speaks as it does; where nobody has given us a NOTIFY_SOCKET, nobody hears."""

    def __init__(self, environ: MutableMapping[str, str], complain: Callable[[str], object]) -> None:
        """Take the variables out of `environ`. A message that does not get through is worth one complaint.

        Raises `ConfigError`.
        """
        self._complain: Callable[[str], object] | None = complain
        self.sockets = _passed(environ)
        """What was passed to this process, in its order."""
        self._watchdog = _microseconds(environ)
        self.interval = self._watchdog / 2_000_000 if self._watchdog else math.inf
        """Seconds between two calls of `keep_alive`: half of WatchdogSec=, as sd_watchdog_enabled(3) recommends."""
        self._phase = _Phase.STARTING
        self._where = environ.pop("NOTIFY_SOCKET", "")
        self._address = os.fsencode(self._where)
        self._socket: socket.socket | None = None
        if self._where:
            if self._where[0] not in "/@":
                raise ConfigError(f"NOTIFY_SOCKET {self._where!r} is neither a path nor @NAME: unset it")
            if self._where[0] == "@":
                self._address = b"\0" + self._address[1:]  # unix(7), abstract
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)  # kept, should descriptors run out
            self._socket.settimeout(_PATIENCE)

    def ready(self, status: str, *, instead: bool = False) -> None:
        """We serve. `instead` of another process that systemd has known as the main one."""
        self._phase = _Phase.SERVING
        self._say(*[f"MAINPID={os.getpid()}"] * instead, "READY=1", _status(status))

    def reloading(self) -> None:
        """A reload begins, or begins anew; `settled` ends it. Type=notify-reload wants to know when."""
        if self._phase is _Phase.SERVING:
            now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            self._say("RELOADING=1", f"MONOTONIC_USEC={now}", _status("reloading"))

    def settled(self, status: str) -> None:
        """Nothing is changing any more: a reload has ended, well or not."""
        if self._phase is _Phase.SERVING:
            self._say("READY=1", _status(status))

    def stopping(self) -> None:
        """We are about to end. Said once."""
        if self._phase is _Phase.SERVING:
            self._phase = _Phase.STOPPING
            self._say("STOPPING=1", _status("stopping"))

    def give_place(self, pid: int) -> None:
        """Another process serves: it is the main one from now on, and we say no more.

        With NotifyAccess=main, the default, systemd hears only the main process: it must be us who say so.
        """
        self._say(f"MAINPID={pid}", "READY=1")  # a reload that was going on here is over
        self.close()

    def keep_alive(self) -> None:
        """We are well."""
        if self._phase is not _Phase.STARTING:
            self._say("WATCHDOG=1")

    @contextmanager
    def kept_alive(self, well: Callable[[], bool]) -> Iterator[None]:
        """Say that we are well, as long as `well()`, by a thread of its own: if systemd wants to know, otherwise none.

        A loop that does not turn for WatchdogSec= is found; one that takes a little less is not.
        """
        if self.interval == math.inf:
            yield
            return
        over = threading.Event()

        def look() -> None:
            pause = self.interval
            while not over.wait(pause):
                if well():
                    self.keep_alive()
                    pause = self.interval
                else:
                    pause = self.interval / _CLOSER

        thread = threading.Thread(target=look, name="wsgiraw-keep-alive", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def bequeath(self) -> dict[str, str]:
        """Let the program that this process is about to become have what we were given; return its variables."""
        variables = {}
        if self._where:
            variables["NOTIFY_SOCKET"] = self._where
        if self._watchdog:
            variables["WATCHDOG_USEC"] = str(self._watchdog)  # without WATCHDOG_PID it is for whoever has it
        if self.sockets:
            for descriptor, _ in self.sockets:
                os.set_inheritable(descriptor, True)
            variables["LISTEN_PID"] = str(os.getpid())
            variables["LISTEN_FDS"] = str(len(self.sockets))
            variables["LISTEN_FDNAMES"] = ":".join(name for _, name in self.sockets)
        return variables

    def leave(self) -> None:
        """In a forked process that is none of systemd's business: give up what is the parent's."""
        self.close()
        for descriptor, _ in self.sockets:
            os.close(descriptor)
        self.sockets = ()

    def close(self) -> None:
        """Say no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _say(self, *lines: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto("\n".join(lines).encode(errors="replace"), self._address)
        except OSError as error:
            if self._complain is not None:
                complain, self._complain = self._complain, None
                complain(f"systemd does not hear us at {self._where}: {error.strerror or error}")


def _status(text: str) -> str:
    return "STATUS=" + " ".join(text.splitlines())  # a line is a message


def _passed(environ: MutableMapping[str, str]) -> Sequence[PassedSocket]:
    """Return what is passed to this process (sd_listen_fds_with_names(3)), and keep it from programs that we start."""
    pid, count, names = (environ.pop(f"LISTEN_{what}", None) for what in ("PID", "FDS", "FDNAMES"))
    environ.pop("LISTEN_PIDFDID", None)
    if pid != str(os.getpid()) or not count:
        return ()
    if not _is_number(count):
        raise ConfigError(f"LISTEN_FDS {count!r} is not a number of descriptors: unset it")
    called = ["unknown"] * int(count) if names is None else names.split(":") if names else []
    if len(called) != int(count):
        raise ConfigError(f"LISTEN_FDNAMES {names!r} does not name {count} descriptors, as LISTEN_FDS says: unset it")
    sockets = tuple(PassedSocket(_FIRST + index, name) for index, name in enumerate(called))
    for descriptor, _ in sockets:
        try:
            os.set_inheritable(descriptor, False)
        except OSError:
            raise ConfigError(f"LISTEN_FDS says {count}, but descriptor {descriptor} is not open: unset it") from None
    return sockets


def _microseconds(environ: MutableMapping[str, str]) -> int:
    """Return within how many microseconds systemd wants to hear of this process again and again; 0 for never."""
    pid, text = environ.pop("WATCHDOG_PID", None), environ.pop("WATCHDOG_USEC", None)
    if not text or (pid and pid != str(os.getpid())):
        return 0
    if not _is_number(text):
        raise ConfigError(f"WATCHDOG_USEC {text!r} is not a number of microseconds: unset it")
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20


def _accepts(descriptor: int) -> bool:
    own = os.dup(descriptor)
    try:
        sock = socket.socket(fileno=own)
    except OSError:  # it is no socket at all
        os.close(own)
        return False
    with sock:
        listens = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        return bool(listens) and sock.family in _FAMILIES and sock.type == socket.SOCK_STREAM

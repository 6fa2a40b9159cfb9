"""Servers as subprocesses: started on a free port and on given cores, ready once they answer, always ended.

It knows no server, and measures nothing. Whoever uses it stands in `interruption.interruptible()`, so that SIGTERM ends
what an interrupt ends.
"""

import contextlib
import os
import random
import re
import socket
import ssl
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wsgiraw.compare.loopback import HOST
from wsgiraw.compare.pinning import pinned
from wsgiraw.compare.servers.interruption import uninterrupted
from wsgiraw.compare.servers.readiness import NotReady, wait_until_it_answers
from wsgiraw.compare.servers.session import MARK, end_all, end_held, held, members

__all__ = ["Running", "ServerFailed", "free_port", "running"]

START_SECONDS = 30.0
"""How long a server may take to answer its first request, with the import of its application."""
STOP_SECONDS = 10.0
"""How long it may take to end once it was told to; then it is killed."""

_PORTS = 5
"""How many ports are tried before it is believed that a port is not the matter."""
_IN_USE = re.compile(r"(?i)in use|EADDRINUSE|errno 98|errno 48")
_DESCRIPTORS = 65536


class ServerFailed(Exception):
    """A server did not start, or does not answer; the message ends with what it printed last."""


class Running:
    """A server that runs, with all its processes."""

    def __init__(
        self, command: Sequence[str], port: int, environment: Mapping[str, str], folder: str, patience: float
    ) -> None:
        self.command = list(command)
        self.port = port
        self._mark = uuid.uuid4().hex
        # Appended to: its processes and we write and read at places of our own.
        self._output: IO[bytes] = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - closed in end()
        self._last = ""
        self._popen: subprocess.Popen[bytes] | None = None
        self._environment = {**environment, MARK: self._mark}
        self._folder = folder
        self._patience = patience

    def start(self, cores: set[int] | None) -> None:
        """Start it. Raises ServerFailed where there is no such program."""
        try:
            with _many_connections(), pinned(cores):
                self._popen = subprocess.Popen(
                    self.command,
                    cwd=self._folder,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=self._output,
                    stderr=self._output,
                    start_new_session=True,
                )
        except OSError as error:
            raise ServerFailed(f"{self.command[0]} cannot be executed: {error.strerror}") from None

    @property
    def pid(self) -> int:
        """The process that was started; 0 before."""
        return self._popen.pid if self._popen else 0

    def alive(self) -> bool:
        """Whether the process that was started still runs."""
        return self._popen is not None and self._popen.poll() is None

    def pids(self) -> list[int]:
        """Return all processes of the server; none where there is no /proc."""
        return members(self.pid, self._mark)

    def printed(self) -> str:
        """Return the last lines that it has written to its standard output and error, after its end, too."""
        if self._output.closed:
            return self._last
        descriptor = self._output.fileno()
        size = os.fstat(descriptor).st_size
        text = os.pread(descriptor, 4096, max(0, size - 4096)).decode(errors="replace")
        return "\n".join(text.strip().splitlines()[-15:])

    def terminate(self) -> None:
        """Tell it to end, by SIGTERM; do not wait."""
        if self._popen:
            self._popen.terminate()

    def wait(self, seconds: float) -> int | None:
        """Wait until the process that was started has ended; return its exit code, or None if it still runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._popen.wait(seconds) if self._popen else None
        return None

    def end(self) -> None:
        """Tell it to end, and kill what is left of it after a while, or at once when we are interrupted meanwhile."""
        own: list[int] = []
        try:
            own = held(self.pids())
            self.terminate()
            self.wait(self._patience)
        finally:
            with uninterrupted():
                if self._popen and self._popen.poll() is None:
                    self._popen.kill()
                    self._popen.wait()
                end_all(self.pid, self._mark)
                end_held(own)
                self._last = self.printed()
                self._output.close()


@contextmanager
def running(
    command: Callable[[int], Sequence[str]],
    ready: bytes,
    cores: set[int] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    folder: str = ".",
    within: float = START_SECONDS,
    patience: float = STOP_SECONDS,
    context: ssl.SSLContext | None = None,
) -> Iterator[Running]:
    """Start `command(port)` in a folder, wait until it answers the request `ready`, and end it afterwards.

    It has `within` seconds to answer, by TLS with `context`, and `patience` seconds to end before it is killed. All its
    processes run on `cores` from their first instruction. Raises ServerFailed.
    """
    for attempt in range(1, _PORTS + 1):
        port = free_port()
        server = Running(command(port), port, os.environ if environment is None else environment, folder, patience)
        try:
            server.start(cores)
            try:
                wait_until_it_answers(HOST, port, ready, within, server.alive, context)
            except NotReady as error:
                printed = server.printed()
                if attempt < _PORTS and not server.alive() and _IN_USE.search(printed):
                    continue  # somebody else took the port in between
                more = f"; the last that it printed:\n{printed}" if printed else ""
                raise ServerFailed(f"it {error}{more}") from None
            yield server
            return
        finally:
            server.end()


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free, outside the range from which the kernel takes those of clients.

    Within it, a connection that a load opens meanwhile could be given the port before the server is there.
    """
    try:
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        first = 0
    candidates = [random.randrange(10_000, first) for _ in range(50)] if first > 10_100 else []
    for port in [*candidates, 0]:
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind((HOST, port))
            found: int = listener.getsockname()[1]
            return found
    raise ServerFailed(f"no port of {HOST} is free")


@contextmanager
def _many_connections() -> Iterator[None]:
    """Let processes that are started inside have as many connections as may be."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    try:
        if soft != resource.RLIM_INFINITY and room > soft:
            resource.setrlimit(resource.RLIMIT_NOFILE, (room, hard))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

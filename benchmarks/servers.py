"""Servers for the scripts here: `wsgiraw compare`'s own, and what it does not need, TLS and arguments of one's own.

How servers are started, found, ended and told the same is wsgiraw.compare.servers' matter. Linux only: /proc is read.
It generates no load and judges nothing.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

from certificates import Certificate

from wsgiraw.compare.requests import Wanted
from wsgiraw.compare.servers import process
from wsgiraw.compare.servers.chosen import chosen
from wsgiraw.compare.servers.command_lines import HOST
from wsgiraw.compare.servers.machine import machine, versions
from wsgiraw.compare.servers.process import Running, ServerFailed
from wsgiraw.compare.servers.specification import environment
from wsgiraw.compare.servers.usage import cpu_seconds
from wsgiraw.errors import ConfigError

__all__ = [
    "FAILURES",
    "HOST",
    "ROOT",
    "THREADS",
    "Server",
    "ServerFailed",
    "conditions",
    "facts",
    "get",
    "pinned",
    "request",
    "running",
    "started",
]

ROOT = Path(__file__).resolve().parent.parent
THREADS = 8
FAILURES = (ServerFailed, ConfigError, OSError, ValueError)
"""What leaves a server out."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs, under the name that it was asked for by."""

    name: str
    running: Running

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.running.port

    @property
    def command(self) -> str:
        """Its command line, for a page: the port differs from start to start."""
        program, *arguments = self.running.command
        return " ".join([Path(program).name, *arguments])

    def cpu_seconds(self) -> float:
        """CPU time, user and system, of all threads of all its processes so far."""
        return cpu_seconds(self.running.pids())

    def memory_kib(self, key: str) -> int:
        """Sum over all processes of `Rss` or `Pss` (smaps_rollup), `VmRSS` or `VmHWM` (status), in KiB."""
        file = "status" if key.startswith("Vm") else "smaps_rollup"
        total = 0
        for pid in self.running.pids():
            for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
                if line.startswith(f"{key}:"):
                    total += int(line.split()[1])
        return total

    def threads(self) -> int:
        """Threads of all its processes."""
        return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in self.running.pids())

    def reset_peak(self) -> None:
        """Make VmHWM start again from the resident size of this moment (proc(5): 5 to clear_refs)."""
        for pid in self.running.pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")


@contextmanager
def running(
    name: str,
    app: str,
    *,
    path: str = "/",
    core: int | None = None,
    threads: int = THREADS,
    workers: int = 1,
    own: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    certificate: Certificate | None = None,
) -> Iterator[Server]:
    """Start a server of `wsgiraw compare` by name, wait until it answers `path`, end all its processes afterwards.

    `own` are further arguments of wsgiraw; with a certificate a server speaks TLS, 1.2 and 1.3. Raises FAILURES.
    """
    (peer,) = chosen([name])
    if peer.version() is None:
        raise ServerFailed(f"it is not installed: {peer.pip}")

    def command(port: int) -> list[str]:
        *line, last = peer.command(app, port, workers, threads)
        line = [*line, *own, last]
        return _with_tls(name, line, certificate) if certificate else line

    with started(name, command, path, core, variables, certificate) as server:
        yield server


@contextmanager
def started(
    name: str,
    command: Callable[[int], list[str]],
    path: str = "/",
    core: int | None = None,
    variables: Mapping[str, str] | None = None,
    certificate: Certificate | None = None,
) -> Iterator[Server]:
    """The same for any command line that listens on a port."""
    ready = request(path, keep_alive=False)
    surroundings = environment(variables or {}, str(ROOT))
    context = certificate.context() if certificate else None
    cores = None if core is None else {core}
    with process.running(command, ready, cores, environment=surroundings, folder=str(ROOT), context=context) as one:
        yield Server(name, one)


def _with_tls(name: str, line: list[str], certificate: Certificate) -> list[str]:
    """The command line that speaks TLS. Raises ValueError if the server cannot."""
    chain, key = str(certificate.chain), str(certificate.key)
    *line, last = line
    if name.startswith(("wsgiraw", "gunicorn")):
        return [*line, "--certfile", chain, "--keyfile", key, last]
    if name == "granian":
        return [*line, "--ssl-certificate", chain, "--ssl-keyfile", key, "--ssl-protocol-min", "tls1.2", last]
    if name == "uwsgi":
        at = line.index("--http")
        return [*line[:at], "--https", f"{line[at + 1]},{chain},{key}", *line[at + 2 :], last]
    raise ValueError(f"{name} has no TLS")


def request(path: str, *, keep_alive: bool = True) -> bytes:
    """The octets of a browser's GET."""
    return Wanted("GET", path).octets(HOST, keep_alive)


def get(port: int, path: str) -> tuple[int, bytes]:
    """One request: status and body."""
    connection = HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Run this process, and those that are started inside, on `core` alone; None: wherever they like."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def facts() -> dict[str, dict[str, str]]:
    """Machine and versions, for JSON; and for `conditions`, when taken before."""
    return {"machine": machine(), "versions": versions()}


def conditions(before: dict[str, dict[str, str]]) -> str:
    """On what was measured, as a sentence for a page."""
    on, used = before["machine"], before["versions"]
    named = ", ".join([on["python"], *(f"{name} {version}" for name, version in used.items())])
    today = datetime.now(UTC).date().isoformat()
    return f"{today}; {on['cpu']}, {on['cores']} cores; {on['kernel']}; load {on['load']} before; {named}."

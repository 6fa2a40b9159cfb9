"""WSGI servers as subprocesses: starting and stopping them, and what their processes cost.

Linux only: it reads /proc. It generates no load and judges nothing; the scripts next to it do.
"""

import ctypes
import os
import platform
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import IO

from certificates import Certificate
from commands import command

ROOT = Path(__file__).resolve().parent.parent
DISTRIBUTIONS = ("wsgiraw", "granian", "bjoern-binary", "fastpysgi", "gunicorn", "waitress", "uWSGI", "flask", "django")
START_SECONDS = 20.0
STOP_SECONDS = 10.0

BROWSER_FIELDS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.7,de;q=0.3",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Connection": "keep-alive",
    "Referer": "http://127.0.0.1/catalogue/page-1",
    "Cookie": "sessionid=0123456789abcdef01234567; csrftoken=0123456789abcdef; theme=dark",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "same-origin",
}


class ServerFailedError(Exception):
    """A server did not start, or left while it was needed; the message ends with what it printed."""


@dataclass
class Server:
    """A running server: the leader of its own session, so that its workers can be found and ended with it."""

    name: str
    arguments: list[str]
    port: int
    process: subprocess.Popen[bytes]
    output: IO[bytes]

    def pids(self) -> list[int]:
        """All processes of the server, workers and helpers included."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    # The name in parentheses may hold anything; behind it: state, ppid, pgrp, session.
                    state, _, _, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
                except (OSError, ValueError):
                    continue  # it ended meanwhile
                if int(session) == self.process.pid and state != "Z":
                    found.append(int(entry.name))
        return sorted(found)

    def cpu_nanoseconds(self) -> int:
        """CPU time, user and system, that all threads of all processes of the server have used so far."""
        return sum(cpu_nanoseconds(pid) for pid in self.pids())

    def memory_kib(self, key: str) -> int:
        """Sum over all processes of `Rss` or `Pss` (smaps_rollup), `VmRSS` or `VmHWM` (status), in KiB."""
        file = "status" if key.startswith("Vm") else "smaps_rollup"
        total = 0
        for pid in self.pids():
            for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
                if line.startswith(f"{key}:"):
                    total += int(line.split()[1])
        return total

    def threads(self) -> int:
        """Threads of all its processes."""
        return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in self.pids())

    def reset_peak(self) -> None:
        """Make VmHWM start again from the resident size of this moment (proc(5): 5 to clear_refs)."""
        for pid in self.pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def printed(self) -> str:
        """The last lines that the server wrote to stdout and stderr."""
        self.output.seek(0)
        return self.output.read().decode(errors="replace").strip()[-2000:]


def cpu_nanoseconds(pid: int) -> int:
    """CPU time of one process: its POSIX CPU clock counts nanoseconds where /proc/PID/stat counts ticks of 10 ms."""
    clock = ctypes.c_int()
    if ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock)) != 0:
        raise ProcessLookupError(f"no process {pid}")
    return time.clock_gettime_ns(clock.value)


def free_port() -> int:
    """A port of 127.0.0.1 that the kernel says is free."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Processes that are started inside run on `core` alone, from their first instruction; None: wherever they like."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def get(port: int, path: str, certificate: Certificate | None = None) -> tuple[int, str, bytes]:
    """One request with a browser's fields, by TLS if there is a certificate: status, Content-Type and body."""
    if certificate:
        connection: HTTPConnection = HTTPSConnection("127.0.0.1", port, timeout=10, context=certificate.context())
    else:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=BROWSER_FIELDS)
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type", ""), response.read()
    finally:
        connection.close()


@contextmanager
def running(
    name: str,
    app: str,
    *,
    python: str,
    path: str = "/",
    core: int | None = None,
    threads: int | None = None,
    workers: int = 1,
    many_connections: bool = False,
    own: Sequence[str] = (),
    environment: dict[str, str] | None = None,
    certificate: Certificate | None = None,
) -> Iterator[Server]:
    """Start a server on a free port, wait until it answers `path`, and end all its processes afterwards."""
    port = free_port()
    arguments = command(
        *(name, app, port, python),
        threads=threads,
        workers=workers,
        many_connections=many_connections,
        own=own,
        certificate=certificate,
    )
    with started(name, arguments, port, path, core, environment, certificate) as server:
        yield server


@contextmanager
def started(
    name: str,
    arguments: list[str],
    port: int,
    path: str = "/",
    core: int | None = None,
    environment: dict[str, str] | None = None,
    certificate: Certificate | None = None,
) -> Iterator[Server]:
    """The same for any command line that listens on a port."""
    search_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    variables = {**os.environ, "PYTHONPATH": search_path, **(environment or {})}
    with tempfile.TemporaryFile() as output:
        with pinned(core):
            process = subprocess.Popen(
                arguments, cwd=ROOT, env=variables, stdout=output, stderr=output, start_new_session=True
            )
        server = Server(name, arguments, port, process, output)
        try:
            _wait_until_it_answers(server, path, certificate)
            yield server
        finally:
            _stop(server)


def _wait_until_it_answers(server: Server, path: str, certificate: Certificate | None) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        if server.process.poll() is not None:
            raise ServerFailedError(f"{server.name} ended with {server.process.returncode}:\n{server.printed()}")
        try:
            get(server.port, path, certificate)
            return
        except (OSError, HTTPException) as error:
            if time.monotonic() > deadline:
                raise ServerFailedError(f"{server.name} does not answer ({error}):\n{server.printed()}") from error
            time.sleep(0.02)


def _stop(server: Server) -> None:
    server.process.terminate()
    try:
        server.process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()
    for pid in server.pids():  # workers that outlived their parent
        os.kill(pid, signal.SIGKILL)


def versions(python: str) -> dict[str, str]:
    """Versions of Python and of the distributions that `python` has of those that matter here."""
    program = f"""
import importlib.metadata as metadata, platform
print("Python", platform.python_version())
for name in {DISTRIBUTIONS!r}:
    try: print(name, metadata.version(name))
    except metadata.PackageNotFoundError: pass
"""
    output = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return dict(line.split(" ", 1) for line in output.splitlines())


def machine() -> dict[str, str]:
    """CPU model, cores, kernel and load average of this moment."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return {
        "cpu": f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores",
        "kernel": platform.release(),
        "load": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }

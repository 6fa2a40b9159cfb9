"""The command lines of servers, as alike as can be: workers, threads, keep-alive, no access log. It starts nothing.

Limits on open connections are lifted; files that servers read unasked (gunicorn.conf.py, wsgiraw.toml) are not read, so
that a command line is all there is to know. What a server cannot do it leaves out; `peers` says so in words.
"""

import functools
import importlib.metadata
import os
import re
import shutil
import sys
from pathlib import Path

from wsgiraw.compare.loopback import HOST
from wsgiraw.config.processes import ONE_THREAD

__all__ = [
    "RUNNER",
    "cheroot",
    "granian",
    "gunicorn",
    "m0serve",
    "peregrine",
    "run",
    "uwsgi",
    "uwsgi_program",
    "waitress",
    "wsgiraw",
]

RUNNER = str(Path(__file__).with_name("runner.py"))
"""Run as a file: as a module it would import the package around it, and servers would seem larger than they are."""

_KEEP_ALIVE = 75
"""Seconds for which an idle connection is kept; where a server allows less, as long as it does."""
_CONNECTIONS = 20_000
_BACKLOG = 2048


def wsgiraw(application: str, port: int, workers: int, threads: int, *, strategy: str = "") -> list[str]:
    """Ourselves, with the default strategy or another."""
    chosen = ["--strategy", strategy] if strategy else []
    if strategy not in ONE_THREAD:
        chosen += ["--threads", str(threads)]
    return [
        *(sys.executable, "-m", "wsgiraw", "--config", os.devnull, "--host", HOST, "--port", str(port)),
        *("--workers", str(workers), *chosen),
        *("--keep-alive", str(_KEEP_ALIVE), "--access-logfile", "off", application),
    ]


def gunicorn(application: str, port: int, workers: int, threads: int, *, worker_class: str) -> list[str]:
    """`sync` has one thread, and closes each connection after its response."""
    shape = ["--threads", str(threads), "--keep-alive", str(_KEEP_ALIVE)] if worker_class == "gthread" else []
    # Since 25.1 it opens a socket of that kind unless told not to; before, it does not know the flag.
    control = ["--no-control-socket"] if _release("gunicorn") >= (25, 1) else []
    return [
        *(sys.executable, "-m", "gunicorn", "-c", os.devnull, "-b", f"{HOST}:{port}"),
        *("-w", str(workers), "-k", worker_class, *shape, "--worker-connections", str(_CONNECTIONS)),
        *("--backlog", str(_BACKLOG), *control, "--log-level", "warning", application),
    ]


def waitress(application: str, port: int, workers: int, threads: int) -> list[str]:
    """One process. It waits with select() unless told to poll, and select() ends at descriptor 1023."""
    return [
        *(sys.executable, "-m", "waitress", f"--listen={HOST}:{port}", f"--threads={threads}"),
        *(f"--channel-timeout={_KEEP_ALIVE}", f"--connection-limit={_CONNECTIONS}", f"--backlog={_BACKLOG}"),
        *("--asyncore-use-poll", application),
    ]


def granian(application: str, port: int, workers: int, threads: int) -> list[str]:
    """Its back-pressure counts open connections; its read timeout, at most a minute, is for idle ones, too."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", str(threads), "--runtime-threads", "1"),
        *("--http", "1", "--no-ws", "--http1-header-read-timeout", "60000"),
        *("--backlog", str(_BACKLOG), "--backpressure", str(_CONNECTIONS)),
        *("--no-access-log", "--log-level", "warning", application),
    ]


def uwsgi(application: str, port: int, workers: int, threads: int) -> list[str]:
    """Behind its HTTP router, a process of its own, which is what its documentation puts in front of clients."""
    home = ["--home", sys.prefix] if sys.prefix != sys.base_prefix else []
    return [
        *(uwsgi_program() or "uwsgi", "--http", f"{HOST}:{port}", f"--http-keepalive={_KEEP_ALIVE}"),
        *("--http-auto-chunked", "--master", "--processes", str(workers), "--enable-threads"),
        *("--threads", str(threads), "--listen", str(min(_BACKLOG, _longest_backlog())), "--buffer-size", "32768"),
        *("--need-app", "--die-on-term", "--disable-logging", *home, "--pythonpath", ".", "--module", application),
    ]


def peregrine(application: str, port: int, workers: int, threads: int) -> list[str]:
    """Its times are milliseconds."""
    return [
        *(sys.executable, "-m", "peregrine", "--host", HOST, "--port", str(port), "--protocol", "wsgi"),
        *("--workers", str(workers), "--wsgi-threads", str(threads), "--keep-alive", str(_KEEP_ALIVE * 1000)),
        *("--max-connections", str(_CONNECTIONS), "--no-auto-venv", "--log-level", "warning", application),
    ]


def m0serve(application: str, port: int, workers: int, threads: int) -> list[str]:
    """It closes a connection after a thousand requests unless told otherwise; 1024 connections are its most."""
    return [
        *(sys.executable, "-m", "m0serve", "--host", HOST, "--port", str(port), "--protocol", "wsgi"),
        *("--workers", str(workers), "--blocking-threads", str(threads)),
        *("--idle-timeout", str(_KEEP_ALIVE), "--max-keepalive-requests", "0", application),
    ]


def cheroot(application: str, port: int, workers: int, threads: int) -> list[str]:
    """Its own command line keeps ten idle connections and cannot be told to keep more."""
    return run(application, port, workers, threads, server="cheroot")


def run(application: str, port: int, workers: int, threads: int, *, server: str) -> list[str]:
    """A server that our runner starts."""
    return [sys.executable, RUNNER, server, application, str(port), str(workers), str(threads)]


def uwsgi_program() -> str | None:
    """Where uWSGI is: beside the interpreter, where pip puts it, else on PATH."""
    return shutil.which("uwsgi", path=str(Path(sys.executable).parent)) or shutil.which("uwsgi")


def _release(distribution: str) -> tuple[int, ...]:
    try:
        text = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ()
    return tuple(int(number) for number in re.findall(r"[0-9]+", text)[:3])


@functools.cache
def _longest_backlog() -> int:
    """How many the kernel lets wait at a listener (listen(2)); uWSGI refuses to start with more."""
    try:
        return int(Path("/proc/sys/net/core/somaxconn").read_text())
    except (OSError, ValueError):
        return 128

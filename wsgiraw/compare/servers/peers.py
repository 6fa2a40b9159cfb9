"""The table of servers: what is installed, in which version, what to install otherwise, and which shape each can have.

`command_lines` tells each the same. It starts nothing, and imports none of them.
"""

import importlib.metadata
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from wsgiraw.compare.servers import command_lines
from wsgiraw.config import STRATEGY_NAMES
from wsgiraw.config.processes import ONE_THREAD
from wsgiraw.version import __version__

__all__ = ["PEERS", "STRATEGIES", "Peer", "shaped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A server, and how to start it."""

    name: str
    distribution: str
    """Its name on PyPI."""
    arguments: Callable[[str, int, int, int], list[str]]
    """Application, port, workers and threads → the command line."""
    shape: Callable[[int, int], str]
    """Workers and threads → which it has, in words: `1 process x 8 threads`."""
    installed: Callable[[], str | None]
    """Its version for the interpreter that runs this, or None."""
    pip: str
    """What to do where it is not installed: the command that installs it."""

    def version(self) -> str | None:
        """Return the version that is installed; None where none is."""
        return self.installed()

    def command(self, application: str, port: int, workers: int, threads: int) -> list[str]:
        """Return the command line that serves `module:attribute` on a port of 127.0.0.1."""
        return self.arguments(application, port, workers, threads)


def shaped(workers: int, threads: int) -> str:
    """Say it in words: `1 process x 8 threads`."""
    processes = f"{workers} process{'es' if workers > 1 else ''}"
    return f"{processes} x {threads} thread{'s' if threads > 1 else ''}"


def _of_distribution(*names: str) -> str | None:
    for name in names:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def _of_uwsgi() -> str | None:
    program = command_lines.uwsgi_program()
    if program is None:
        return None
    try:
        return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):  # made for another machine, or a library of it has gone
        return None


def _one_thread(workers: int, _threads: int) -> str:
    return shaped(workers, 1)


def _one_process(_workers: int, threads: int) -> str:
    return shaped(1, threads)


def _peer(
    name: str,
    arguments: Callable[[str, int, int, int], list[str]],
    shape: Callable[[int, int], str] = shaped,
    distributions: Sequence[str] = (),
    installed: Callable[[], str | None] | None = None,
) -> Peer:
    names = distributions or (name,)
    return Peer(
        name=name,
        distribution=names[0],
        arguments=arguments,
        shape=shape,
        installed=installed or partial(_of_distribution, *names),
        pip=f"pip install {names[0]}",
    )


def _wsgiraw(name: str, strategy: str = "", shape: Callable[[int, int], str] = shaped) -> Peer:
    arguments = partial(command_lines.wsgiraw, strategy=strategy)
    return _peer(name, arguments, shape, ("wsgiraw",), lambda: __version__)


def _gunicorn(worker_class: str, shape: Callable[[int, int], str]) -> Peer:
    arguments = partial(command_lines.gunicorn, worker_class=worker_class)
    return _peer(f"gunicorn-{worker_class}", arguments, shape, ("gunicorn",))


def _shape_of_strategy(strategy: str) -> Callable[[int, int], str]:
    if strategy == "forking":
        return lambda workers, _: f"{shaped(workers, 1)}, and a process for each connection"
    return _one_thread if strategy in ONE_THREAD else shaped


PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        _wsgiraw("wsgiraw"),
        _gunicorn("sync", _one_thread),
        _gunicorn("gthread", shaped),
        _peer("waitress", command_lines.waitress, _one_process),
        _peer("cheroot", command_lines.cheroot, _one_process),
        _peer("granian", command_lines.granian),
        _peer(
            "uwsgi",
            command_lines.uwsgi,
            lambda workers, threads: f"{shaped(workers, threads)}, behind its router",
            installed=_of_uwsgi,
        ),
        _peer("peregrine", command_lines.peregrine, distributions=("peregrine-server",)),
        _peer("m0serve", command_lines.m0serve),
        _peer("bjoern", partial(command_lines.run, server="bjoern"), _one_thread, ("bjoern-binary", "bjoern")),
        _peer("fastpysgi", partial(command_lines.run, server="fastpysgi"), _one_thread),
        _peer(
            "werkzeug",
            partial(command_lines.run, server="werkzeug"),
            lambda _workers, _threads: "1 process x a thread for each connection",
        ),
        _peer(
            "wsgiref",
            partial(command_lines.run, server="wsgiref"),
            lambda _workers, _threads: shaped(1, 1),
            installed=lambda: f"of Python {sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}",
        ),
    )
}
"""All servers by name, in the order in which they are listed."""

STRATEGIES: dict[str, Peer] = {
    peer.name: peer
    for peer in (_wsgiraw(f"wsgiraw-{strategy}", strategy, _shape_of_strategy(strategy)) for strategy in STRATEGY_NAMES)
}
"""wsgiraw once more for each of its strategies; compared only when asked for."""

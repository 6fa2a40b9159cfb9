"""On what was measured: processor, kernel, Python, load, versions; and which cores are for servers, which for the load.

It pins nothing.
"""

import importlib.metadata
import os
import platform
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from wsgiraw.compare.servers.peers import PEERS
from wsgiraw.processors import processors, quota
from wsgiraw.version import __version__

__all__ = ["cores", "machine", "versions"]

_FRAMEWORKS = ("flask", "django", "pyramid", "bottle", "falcon")


def machine(workers: int = 1) -> dict[str, str]:
    """Return what a reader must know of the machine: `cpu`, `cores`, `kernel`, `python`, `load`, `pinning`."""
    pinned = cores(workers)
    return {
        "cpu": _model(),
        "cores": _cores(),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "pinning": f"servers on {_listed(pinned[0])}, generator on {_listed(pinned[1])}" if pinned else "none",
    }


def versions(distributions: Iterable[str] = ()) -> dict[str, str]:
    """Return the versions of distributions; without names, of all servers and frameworks that are installed."""
    names = list(distributions) or [*dict.fromkeys(peer.distribution for peer in PEERS.values()), *_FRAMEWORKS]
    found = {}
    for name in names:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    if "wsgiraw" in names:
        found["wsgiraw"] = __version__  # what runs, installed or not
    return found


def cores(workers: int = 1, siblings: Path = Path("/sys/devices/system/cpu")) -> tuple[set[int], set[int]] | None:
    """Return the cores for a server of so many workers, and one for the generator; None where there are not two.

    All are ours to use (sched_getaffinity(2)). The generator's is not another thread of a server's core, if possible.
    """
    if not hasattr(os, "sched_getaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        return None
    *others, generator = allowed
    beside = _siblings(generator, siblings)
    others.sort(key=lambda core: core in beside)  # stable: by number, the generator's siblings last
    return set(others[: max(1, workers)]), {generator}


def _siblings(core: int, folder: Path) -> set[int]:
    """The hardware threads of the same core: `0-1` or `0,64`."""
    found: set[int] = set()
    with suppress(OSError, ValueError):
        for part in (folder / f"cpu{core}/topology/thread_siblings_list").read_text().strip().split(","):
            first, _, last = part.partition("-")
            found.update(range(int(first), int(last or first) + 1))
    return found


def _model() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model", "cpu model"):
                return value.strip()
    return platform.processor() or platform.machine()


def _cores() -> str:
    usable = processors()
    limit = f", a quota of {quota():g}" if quota() < (os.cpu_count() or 1) else ""
    return f"{usable} of {os.cpu_count()}{limit}"


def _listed(numbers: set[int]) -> str:
    return ", ".join(f"core {number}" for number in sorted(numbers))

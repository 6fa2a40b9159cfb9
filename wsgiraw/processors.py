"""How many processors this process may use: by affinity (taskset, cpusets) and by the quota of its control groups.

Reads what the kernel says, once; decides nothing.
"""

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["processors", "quota"]


def processors() -> int:
    """Return how many processors this process may use, rounded up."""
    # Not those that the machine has: taskset and cpusets restrict them, a container's quota does so without saying.
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return math.ceil(min(allowed, quota()))


def quota(root: Path = Path("/")) -> float:
    """Return the least quota of our control group and those around it, in processors; infinity where there is none.

    `root` is where `proc` and `sys` are (cgroups(7), Linux admin-guide/cgroup-v2 "CPU Interface Files").
    """
    return min((limit for folder in _groups(root) for limit in _limits(folder)), default=math.inf)


def _groups(root: Path) -> Iterator[Path]:
    """Yield the folder of each control group that we are in, and those around it up to the root."""
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            top = root / "sys/fs/cgroup"
            if controllers and "cpu" not in controllers.split(","):
                continue
            for mount in (top / controllers, top / "cpu") if controllers else (top, top / "unified"):
                group = mount / path.lstrip("/")  # inside a container it may not be there, but the root is
                yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(mount))


def _limits(folder: Path) -> Iterator[float]:
    with suppress(OSError, ValueError, ZeroDivisionError):  # "max" is no limit
        allowed, period = (folder / "cpu.max").read_text().split()
        yield int(allowed) / int(period)
    with suppress(OSError, ValueError, ZeroDivisionError):
        allowed = (folder / "cpu.cfs_quota_us").read_text()
        if int(allowed) > 0:  # -1 is no limit
            yield int(allowed) / int((folder / "cpu.cfs_period_us").read_text())

"""How many processors: affinity, and made-up trees of control groups."""

import math
import os
from pathlib import Path

import pytest

from wsgiraw.processors import processors, quota


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


SELF, GROUPS = "proc/self/cgroup", "sys/fs/cgroup"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, math.inf),
        ({SELF: "0::/\n"}, math.inf),
        ({SELF: "0::/\n", f"{GROUPS}/cpu.max": "max 100000\n"}, math.inf),
        ({SELF: "0::/\n", f"{GROUPS}/cpu.max": "150000 100000\n"}, 1.5),
        # the least of the own group and those around it
        ({SELF: "0::/a/b\n", f"{GROUPS}/a/b/cpu.max": "400000 100000", f"{GROUPS}/a/cpu.max": "200000 100000"}, 2.0),
        ({SELF: "0::/a/b\n", f"{GROUPS}/a/b/cpu.max": "100000 100000", f"{GROUPS}/a/cpu.max": "max 100000"}, 1.0),
        # inside a container the group's path is that of the host, but its files are at the root
        ({SELF: "0::/docker/1234\n", f"{GROUPS}/cpu.max": "50000 100000\n"}, 0.5),
        # somebody else's group
        ({SELF: "0::/a\n", f"{GROUPS}/b/cpu.max": "100000 100000\n"}, math.inf),
        # version 1
        (
            {
                SELF: "4:memory:/x\n3:cpu,cpuacct:/a\n",
                f"{GROUPS}/cpu,cpuacct/a/cpu.cfs_quota_us": "300000\n",
                f"{GROUPS}/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
            },
            3.0,
        ),
        (
            {
                SELF: "1:cpu:/\n",
                f"{GROUPS}/cpu/cpu.cfs_quota_us": "-1\n",
                f"{GROUPS}/cpu/cpu.cfs_period_us": "100000\n",
            },
            math.inf,
        ),
        # what nobody expects
        ({SELF: "0::/\n", f"{GROUPS}/cpu.max": "nonsense\n"}, math.inf),
        ({SELF: "0::/\n", f"{GROUPS}/cpu.max": "1 0\n"}, math.inf),
    ],
)
def test_quota(tmp_path: Path, files: dict[str, str], expected: float) -> None:
    assert quota(tree(tmp_path, files)) == expected


def test_the_least_of_affinity_and_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    for limit, expected in ((math.inf, 8), (16.0, 8), (2.5, 3), (0.1, 1)):
        monkeypatch.setattr("wsgiraw.processors.quota", lambda limit=limit: limit)
        assert processors() == expected

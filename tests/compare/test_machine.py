"""What is said of the machine, and which cores are for whom."""

import os
import platform
from pathlib import Path

import pytest

from wsgiraw.compare.servers.machine import cores, machine, versions
from wsgiraw.version import __version__


def test_a_reader_knows_the_machine() -> None:
    found = machine()
    assert list(found) == ["cpu", "cores", "kernel", "python", "load", "pinning"]
    assert all(found.values())
    assert platform.python_version() in found["python"]


def test_versions_are_of_what_is_installed() -> None:
    assert versions(["no-such-distribution", "wsgiraw"]) == {"wsgiraw": __version__}
    assert {"wsgiraw", "flask", "werkzeug"} <= versions().keys()


@pytest.mark.parametrize(
    ("allowed", "siblings", "workers", "expected"),
    [
        ({3}, {}, 1, None),
        ({2, 5}, {}, 1, ({2}, {5})),
        ({0, 1, 2, 3}, {}, 2, ({0, 1}, {3})),
        ({0, 1, 2, 3}, {3: "0,3"}, 1, ({1}, {3})),
        ({0, 1, 2, 3}, {3: "2-3"}, 3, ({0, 1, 2}, {3})),
        ({0, 1}, {1: "0-1"}, 8, ({0}, {1})),
    ],
)
def test_server_and_generator_are_on_different_cores(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    allowed: set[int],
    siblings: dict[int, str],
    workers: int,
    expected: object,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: allowed, raising=False)
    for core, text in siblings.items():
        folder = tmp_path / f"cpu{core}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{text}\n")
    assert cores(workers, tmp_path) == expected


def test_where_nothing_can_be_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert cores() is None
    assert machine()["pinning"] == "none"

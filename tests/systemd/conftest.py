"""A folder with the application, and a socket for what servers say about themselves."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supervision.master import write_application
from tests.systemd.manager import APPLICATION, NotifySocket


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the application is."""
    write_application(tmp_path, APPLICATION)
    os.mkfifo(tmp_path / "gate")
    return tmp_path


@pytest.fixture
def systemd(folder: Path) -> Iterator[NotifySocket]:
    """What a server says is heard here."""
    notify = NotifySocket(str(folder / "notify"))
    yield notify
    notify.close()


@pytest.fixture(params=["handoff", "eventloop", "pooled"])
def strategy(request: pytest.FixtureRequest) -> str:
    """The strategies with a loop, in turn."""
    return str(request.param)


@pytest.fixture(params=[0, 1, 2])
def workers(request: pytest.FixtureRequest) -> int:
    """Without a master, with a single worker, and with two."""
    return int(request.param)

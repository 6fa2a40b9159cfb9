"""A folder with the application, the strategies under load, and the tools that some tests need."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.apps.conftest import absent
from tests.supervision.load.site import write_site
from wsgiraw.strategies import STRATEGIES

Tool = Callable[..., None]


@pytest.fixture(params=[name for name in ("handoff", "eventloop") if name in STRATEGIES])
def strategy(request: pytest.FixtureRequest) -> str:
    """The strategies that serve many clients from one process, in turn."""
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the application is."""
    write_site(tmp_path)
    return tmp_path


@pytest.fixture
def needs() -> Tool:
    """Skip the test unless a trial of a tool succeeds; in CI an absent tool fails it."""

    def trial(*command: str) -> None:
        if shutil.which(command[0]) is None:
            absent(command[0])
        if subprocess.run(command, capture_output=True).returncode:
            pytest.skip(f"{command[0]} is not permitted to work here, in a container for instance")

    return trial

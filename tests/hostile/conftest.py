"""The strategies whose one loop has to bear all clients, and room for many of them."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supervision.load.conftest import needs

__all__ = ["needs"]

MANY = 4096
"""Descriptors: both ends of each connection are ours."""


@pytest.fixture(params=["handoff", "eventloop", "pooled"])
def strategy(request: pytest.FixtureRequest) -> str:
    """Those that serve all clients from one loop, in turn."""
    return str(request.param)


@pytest.fixture(params=[1, 2])
def workers(request: pytest.FixtureRequest) -> int:
    """How many processes serve."""
    return int(request.param)


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Room for both ends of many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(MANY, hard)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a server is started, and leaves what it has to leave."""
    return tmp_path

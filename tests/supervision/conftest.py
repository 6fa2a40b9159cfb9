"""A master with two workers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supervision.master import Master, master_of


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    """A master with two workers, each an event loop, both ready."""
    with master_of(2, tmp_path, "--strategy=eventloop", "--log-level=debug") as running_master:
        running_master.process.line("worker .* is ready")  # the second: the first was before the banner
        yield running_master

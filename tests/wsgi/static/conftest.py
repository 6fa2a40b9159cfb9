"""One site for all tests that only read it, and a server for those of each module: other tests count threads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wsgi.static.site import write_site
from wsgiraw import Server, Static


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is served."""
    return write_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def static(folder: Path) -> Static:
    """It as an application."""
    return Static(folder)


@pytest.fixture(scope="module")
def server(static: Static) -> Iterator[Server]:
    """A server for it."""
    with Server(static, port=0) as running:
        yield running

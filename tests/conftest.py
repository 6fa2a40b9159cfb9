"""What most tests need: a real server on a kernel-picked port, stopped at the end whatever happens."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from wsgiraw import Server
from wsgiraw.strategies import STRATEGIES

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

Serve = Callable[..., Server]


@pytest.fixture(params=STRATEGIES)
def strategy(request: pytest.FixtureRequest) -> str:
    """Each strategy in turn."""
    return str(request.param)


@pytest.fixture
def serve(strategy: str) -> Iterator[Serve]:
    """Start servers in threads, on each strategy: `serve(app, **options) -> Server`."""
    with ExitStack() as stack:

        def start(application: "WSGIApplication", **options: object) -> Server:
            return stack.enter_context(Server(application, port=0, strategy=strategy, **options))

        yield start

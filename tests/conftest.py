"""What most tests need: a real server on a kernel-picked port, stopped at the end whatever happens."""

import ctypes
import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from tests.strategies.waiting import eventually
from wsgiraw import Server
from wsgiraw.strategies import STRATEGIES

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

Serve = Callable[..., Server]
ServeEverywhere = Callable[..., list[Server]]


M_ARENA_MAX = -8
"""Of mallopt(3)."""


def pytest_collection_finish() -> None:
    """Spare the collector the thousands of tests, which stay until the end: each collection would look at them all.

    Threads share what memory is free: `forking` forks from this process, and each fork copies the tables of all it has.
    """
    gc.collect()
    gc.freeze()
    with suppress(AttributeError):  # another C library than glibc
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


@pytest.fixture(scope="module", autouse=True)
def trimmed() -> Iterator[None]:
    """Give back the memory that is free after a module."""
    yield
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


@pytest.fixture(params=STRATEGIES)
def strategy(request: pytest.FixtureRequest) -> str:
    """Each strategy in turn."""
    return str(request.param)


@pytest.fixture
def here(strategy: str) -> None:
    """Skip where each connection has a process: the test looks at what stays there, in the application or its log."""
    if STRATEGIES[strategy].multiprocess:
        pytest.skip("what it looks at is in another process")


@pytest.fixture
def settled() -> None:
    """For tests that count descriptors or threads: nothing that earlier tests have left behind ends meanwhile.

    That is threads that were stuck in an application when their server stopped, and what waits for the collector.
    """
    eventually(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("wsgiraw")])
    gc.collect()


@pytest.fixture
def serve(strategy: str) -> Iterator[Serve]:
    """Start servers in threads, on each strategy: `serve(app, **options) -> Server`."""
    with ExitStack() as stack:

        def start(application: "WSGIApplication", **options: object) -> Server:
            return stack.enter_context(Server(application, port=0, strategy=strategy, **options))

        yield start


@pytest.fixture
def serve_everywhere() -> Iterator[ServeEverywhere]:
    """Start a server on each strategy, for tests that last: all of them at the same time are long enough once."""
    with ExitStack() as stack:

        def start(application: "WSGIApplication", **options: object) -> list[Server]:
            return [
                stack.enter_context(Server(application, port=0, strategy=strategy, **options))
                for strategy in STRATEGIES
            ]

        yield start

"""The program that starts servers without a command line of their own, ended by an interrupt."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from tests.strategies.waiting import eventually
from tests.wire import PATIENCE
from wsgiraw.compare.requests import Wanted
from wsgiraw.compare.servers.peers import PEERS
from wsgiraw.compare.servers.process import running
from wsgiraw.compare.servers.runner import SERVERS
from wsgiraw.compare.servers.specification import environment

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("name", SERVERS)
def test_it_serves_until_a_signal(name: str) -> None:
    """As many processes as there can be, and no log of requests."""
    if PEERS[name].version() is None:
        pytest.skip(f"{name} is not installed")
    command = partial(PEERS[name].command, "apps.native_calc:app", workers=2, threads=2)
    ready = Wanted("GET", "/add/2/3").octets("127.0.0.1")
    with running(command, ready, environment=environment({}, str(ROOT)), folder=str(ROOT)) as server:
        processes = 3 if PEERS[name].shape(2, 2).startswith("2 processes") else 1
        eventually(lambda: len(server.pids()) == processes)
        os.kill(server.pid, signal.SIGINT)
        assert server.wait(PATIENCE) is not None
    assert "/add/2/3" not in server.printed()

"""Listeners and connections to them, closed whatever happens."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.wire import PATIENCE
from wsgiraw.net import Listener, listen

__all__ = ["dial", "listening"]


@contextmanager
def listening(address: str, backlog: int = 8, mode: int = 0o600) -> Iterator[list[Listener]]:
    listeners = listen(address, backlog, mode)
    try:
        yield listeners
    finally:
        for listener in listeners:
            listener.close()


def dial(family: int, address: object) -> socket.socket:
    client = socket.socket(family)
    client.settimeout(PATIENCE)
    try:
        client.connect(address)  # type: ignore[arg-type]
    except OSError:
        client.close()
        raise
    return client

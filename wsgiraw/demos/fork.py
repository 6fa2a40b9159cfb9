"""A process for each connection, with every descriptor closed and every child reaped.

Each process closes what is the other's: the child the listener, the parent the client. What it lacks is a bound: a
thousand clients are a thousand processes.
"""

import os
import signal
import socket
from types import FrameType

from wsgiraw.demos.arguments import add_seconds
from wsgiraw.demos.iterative import converse

__all__ = ["PORT", "TRY", "add_arguments", "reap_all", "serve"]

PORT = 8888
TRY = "wsgiraw demo load --clients 50 --port {port}"

add_arguments = add_seconds


def reap_all(number: int, frame: FrameType | None) -> None:
    """Wait for every child that has ended by now: one SIGCHLD may stand for several."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:  # 0: there are children, but none has ended
            pass
    except ChildProcessError:  # there are no children
        pass


def serve(listener: socket.socket, seconds: float) -> None:
    """Serve each client in a child."""
    signal.signal(signal.SIGCHLD, reap_all)
    while True:
        client, (_, port, *_) = listener.accept()
        if os.fork() == 0:
            try:
                listener.close()
                converse(client, port, seconds)
            finally:
                os._exit(0)  # without what Python does at its end: that is the parent's
        client.close()

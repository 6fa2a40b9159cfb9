"""A process for each connection, and nobody waits for those that have ended, or not for all.

A process that has ended stays in the kernel's table, as a zombie, until its parent has waited for it. `--reap one`
waits once at each SIGCHLD. That is not enough: a signal that comes while the same one is still pending is not counted.
Five children that end at once may be one signal, and four zombies. `--reap all` waits until nobody is left to wait for.
"""

import os
import signal
import socket
from collections.abc import Callable
from types import FrameType

from wsgiraw.demos.arguments import add_seconds
from wsgiraw.demos.fork import reap_all
from wsgiraw.demos.iterative import converse
from wsgiraw.flags import FlagParser

__all__ = ["PORT", "TRY", "add_arguments", "serve"]

PORT = 8888
TRY = "wsgiraw demo load --clients 50 --port {port}"


def add_arguments(parser: FlagParser) -> None:
    """Time, and the lesson's switch."""
    add_seconds(parser)
    parser.add_argument("--reap", choices=["none", "one", "all"], default="none", help="[default none]")


def reap_one(number: int, frame: FrameType | None) -> None:
    """Wait for one child that has ended."""
    pid, _ = os.waitpid(-1, os.WNOHANG)
    os.write(1, b"reaped %d\n" % pid)  # not print: this may have interrupted a print


REAPERS: dict[str, Callable[[int, FrameType | None], None] | signal.Handlers] = {
    "none": signal.SIG_DFL,
    "one": reap_one,
    "all": reap_all,
}


def serve(listener: socket.socket, seconds: float, reap: str) -> None:
    """Serve each client in a child."""
    signal.signal(signal.SIGCHLD, REAPERS[reap])
    print(f"zombies are shown by: ps -o pid,stat,cmd --ppid {os.getpid()}")
    while True:
        # Signals interrupt accept(): Python runs the handler and goes on with it (PEP 475), where C gets EINTR.
        client, (_, port, *_) = listener.accept()
        if os.fork() == 0:
            try:
                listener.close()
                converse(client, port, seconds)
            finally:
                os._exit(0)
        client.close()

"""Processes that are there before the clients, all of which accept from the same socket.

Each serves one client at a time, so nobody waits for a fork, and there is a bound. The kernel gives each connection to
one of those who wait in accept(). The parent serves nobody: it replaces who has ended. A silent client for each child
is enough, and nobody is served any more.
"""

import os
import signal
import socket
import time
from typing import NoReturn

from wsgiraw.demos.arguments import add_seconds, count
from wsgiraw.demos.iterative import converse
from wsgiraw.flags import FlagParser

__all__ = ["PORT", "TRY", "add_arguments", "serve"]

PORT = 8888
TRY = "wsgiraw demo load --clients 50 --port {port}"

ENDING = (signal.SIGINT, signal.SIGTERM)


def add_arguments(parser: FlagParser) -> None:
    """Time and number."""
    add_seconds(parser)
    parser.add_argument("--children", type=count, default=4, help="Processes that serve [default 4].")


def serve(listener: socket.socket, seconds: float, children: int) -> None:
    """Keep that many children, until interrupted; then end them."""
    alive: set[int] = set()
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # held back, so that `alive` is true whenever one is heard
    try:
        while True:
            while len(alive) < children:
                pid = os.fork()
                if pid == 0:
                    be_child(listener, seconds)
                alive.add(pid)
            print(f"children: {' '.join(map(str, sorted(alive)))}")
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)  # until one has ended, whom it leaves a zombie
            signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
            pid, status = os.wait()
            alive.remove(pid)
            print(f"child {pid} has ended with {os.waitstatus_to_exitcode(status)}; another takes its place")
            time.sleep(0.1)  # or children that cannot live would be forked as fast as they die
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        for pid in alive:
            os.kill(pid, signal.SIGTERM)
        for _ in alive:
            os.wait()


def be_child(listener: socket.socket, seconds: float) -> NoReturn:
    """Serve one client after the other, until a signal ends it."""
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        while True:
            client, (_, port, *_) = listener.accept()
            converse(client, port, seconds)
    finally:
        os._exit(0)

"""Processes, each with a strategy of its own over the same listening sockets, and the master that supervises them.

    contract    what a master is told to do, and what a worker is told of itself: data alone
    master      signals, messages and time → what to do; the loop
    roster      which workers there should be
    flock       workers as processes: fork, tell, hear, reap
    worker      what a worker does first and last
    vigil       workers that are stuck or have grown too large
    shared      the memory in which workers show that they are alive
    backoff     how long to wait after crashes
    ports       listening sockets across reloads and upgrades
    upgrade     a new master on the same sockets
    inbox       signals as numbers in a pipe
    terminal    what the terminal means by its signals

`supervise` is all that others call; what it is to do stands in `Duties`.
"""

from wsgiraw.strategies.prefork.contract import Duties, Post, Worker
from wsgiraw.strategies.prefork.inbox import DUMP
from wsgiraw.strategies.prefork.master import supervise
from wsgiraw.strategies.prefork.ports import Ports
from wsgiraw.strategies.prefork.upgrade import Predecessor, predecessor

__all__ = ["DUMP", "Duties", "Ports", "Post", "Predecessor", "Worker", "predecessor", "supervise"]

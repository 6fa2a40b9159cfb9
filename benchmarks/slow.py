"""A WSGI application whose answers take as long as the client asks for, so that all servers get the same mixture.

* `/quick` answers at once; `/sleep?ms=50` sleeps, as one does who waits for a database; `/cpu?ms=30` computes in Python
  until its thread has used so much CPU, however long others hold it up meanwhile; `/pid` says which process answers.

Every body ends with `done` and a line end, by which closed_loop.py knows that an answer is complete. That of `/sleep`
is the `time.monotonic()` at which the application was called, the process, and `done`. The environment variable
SWITCH_INTERVAL_MS sets the interpreter's switch interval. The application does not choose who is slow: counters in the
server would give servers of several processes other mixtures than those of one.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

if interval := os.environ.get("SWITCH_INTERVAL_MS"):
    sys.setswitchinterval(float(interval) / 1000)

STEPS = 1000
"""Turns of the loop that computes, between two looks at the clock: about 50 µs."""


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer as the path says; anything else is 404."""
    path = environ["PATH_INFO"]
    if path == "/quick":
        return _answer(start_response, b"done\n")
    if path == "/pid":
        return _answer(start_response, b"%d done\n" % os.getpid())
    if path == "/sleep":
        began = time.monotonic()
        time.sleep(_seconds(environ))
        return _answer(start_response, b"%.6f %d done\n" % (began, os.getpid()))
    if path == "/cpu":
        compute(_seconds(environ))
        return _answer(start_response, b"done\n")
    start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"done\n"]


def compute(seconds: float) -> None:
    """Keep the interpreter busy until this thread has used so much CPU time."""
    end = time.thread_time() + seconds
    number = 1
    while time.thread_time() < end:
        for _ in range(STEPS):
            number = number * 1103515245 % 2147483648


def _seconds(environ: dict[str, Any]) -> float:
    return float(environ["QUERY_STRING"].removeprefix("ms=")) / 1000


def _answer(start_response: Callable[..., Any], body: bytes) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]

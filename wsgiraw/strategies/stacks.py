"""What the threads of this process are at: the requests that run, and where in the application. It changes nothing."""

import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from types import FrameType

from wsgiraw.wsgi import Gateway

__all__ = ["report", "stack"]

_RESPOND = Gateway.respond.__code__


def stack(thread: int) -> str:
    """Return where a thread is, outermost call first, like a traceback; empty where it has ended."""
    frame = sys._current_frames().get(thread)
    return "" if frame is None else "".join(traceback.format_stack(frame))


def report() -> str:
    """Return each request that runs, with its client and age in seconds, and the stacks of all threads."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = sys._current_frames()
    parts = []
    for thread, frame in frames.items():
        doing = ", ".join(_requests(frame)) or "no request"
        parts.append(f"Thread {names.get(thread, thread)}: {doing}\n{''.join(traceback.format_stack(frame))}")
    return f"what process {os.getpid()} is at:\n" + "\n".join(parts)


def _requests(frame: FrameType | None) -> Iterator[str]:
    """Yield what a thread is at: a request runs where `Gateway.respond` is among its calls."""
    while frame is not None:
        if frame.f_code is _RESPOND:
            local = frame.f_locals
            request, peer = local["request"], local["connection_environ"]["REMOTE_ADDR"]
            age = time.monotonic() - local.get("began", time.monotonic())
            yield f"{request.method} {request.target} of {peer or 'a unix socket'} for {age:.3f} s"
        frame = frame.f_back

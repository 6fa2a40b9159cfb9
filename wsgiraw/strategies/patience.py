"""Requests that the application takes too long for: said with its stack, answered with 504, and given up.

A thread of Python cannot be stopped from outside, so it is lost until the application returns; whoever is told of it
has the process replaced. Whether the application or we answer a request is decided once, under `_lock`: by `begin`
when the application's head is about to go out, or by `_watch`. A response that has begun can only be cut off.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from wsgiraw.errors import HTTPError
from wsgiraw.http11 import Request
from wsgiraw.observe import log
from wsgiraw.strategies.stacks import stack
from wsgiraw.wsgi import Gateway

__all__ = ["Patience"]


@dataclass(slots=True)
class _Entry:
    environ: dict[str, Any]
    cut_off: Callable[[bytes], None]
    thread: int
    began: float
    """When it began to run, less the time that it was paused; monotonic seconds."""
    begun: bool = False
    """The head of the response is going out."""


class Patience:
    """Watches the requests of a process, in a thread that runs only while there are some."""

    def __init__(self, limit: float, gateway: Gateway, when_lost: Callable[[], None]) -> None:
        """A request may run for `limit` seconds; `when_lost` is called for each that ran for longer."""
        self._limit = limit
        self._gateway = gateway
        self._when_lost = when_lost
        self._running: dict[Request, _Entry] = {}
        self._paused: dict[Request, _Entry] = {}
        """Those that wait for their client; `began` is how long they have run."""
        self._lock = threading.Lock()
        self._waking = threading.Condition(self._lock)
        self._idle = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def enter(self, request: Request, environ: dict[str, Any], cut_off: Callable[[bytes], None]) -> None:
        """Watch a request that this thread is about to answer, or goes on with.

        `cut_off` gives some octets to the socket, as far as it takes them, and ends the connection without closing it.
        """
        now = time.monotonic()
        with self._lock:
            entry = self._paused.pop(request, None)
            if entry is None:
                entry = _Entry(environ, cut_off, threading.get_ident(), now)
            else:
                entry.began = now - entry.began
            self._running[request] = entry
            if self._thread is None:  # not before: in a process that forks for each connection, each needs its own
                thread = threading.Thread(target=self._watch, name="wsgiraw-patience", daemon=True)
                try:
                    thread.start()
                    self._thread = thread
                except RuntimeError as error:
                    log.error("nobody watches over request_timeout: %s", error)
            elif self._idle:
                self._waking.notify()

    def pause(self, request: Request) -> None:
        """Let a request wait for its client."""
        with self._lock:
            entry = self._running.pop(request, None)
            if entry is not None:
                entry.began = time.monotonic() - entry.began
                self._paused[request] = entry

    def begin(self, request: Request) -> bool:
        """Say that the response is about to go out; return False where its time was up before."""
        with self._lock:
            entry = self._running.get(request)
            if entry is not None:
                entry.begun = True
            return entry is not None

    def leave(self, request: Request) -> bool:
        """Watch a request no longer; return False where its time was up before."""
        with self._lock:
            running, paused = self._running.pop(request, None), self._paused.pop(request, None)
            return running is not None or paused is not None

    def close(self) -> None:
        """End the thread."""
        with self._lock:
            self._closed = True
            self._waking.notify()

    def _watch(self) -> None:
        while (found := self._next_due()) is not None:
            request, entry = found
            where = stack(entry.thread)
            with self._lock:  # until the client has its answer: then the thread may close the connection
                if self._running.pop(request, None) is None:
                    continue  # it has ended, or waits for its client
                if request.answered:
                    self._paused[request] = entry  # the application has given all, whatever it still does
                    continue
                entry.cut_off(b"" if entry.begun else self._reply(request, entry))
            self._report(request, entry, where)
            self._when_lost()

    def _next_due(self) -> tuple[Request, _Entry] | None:
        """Wait until a request has run for too long, and return it; None once closed."""
        with self._lock:
            while not self._closed:
                if not self._running:
                    self._idle = True
                    self._waking.wait()
                    self._idle = False
                    continue
                request, entry = min(self._running.items(), key=lambda item: item[1].began)  # as many as threads
                remaining = entry.began + self._limit - time.monotonic()
                if remaining <= 0:
                    return request, entry
                self._waking.wait(remaining)
            return None

    def _reply(self, request: Request, entry: _Entry) -> bytes:
        error = HTTPError(HTTPStatus.GATEWAY_TIMEOUT, "the application took too long")
        error.to_head = request.method == "HEAD"
        return self._gateway.reject(error, entry.environ, request)

    def _report(self, request: Request, entry: _Entry, where: str) -> None:
        log.error(
            "%s %s of %s has run for %.1f s: %s; where it is:\n%s",
            request.method,
            request.path,
            self._gateway.client(entry.environ, request) or "a unix socket",
            time.monotonic() - entry.began,
            "it is cut off" if entry.begun else "answered with 504",
            where,
        )

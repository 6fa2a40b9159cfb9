"""The answer to a load balancer that asks whether to send requests, given without the application."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Health"]


class Health:
    """An application that answers one path itself: 200, or 503 once the server is about to stop."""

    def __init__(self, application: "WSGIApplication", path: str, stopping: Callable[[], bool]) -> None:
        self.path = path
        self._application = application
        self._stopping = stopping

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer, or ask the application (PEP 3333)."""
        if environ["PATH_INFO"] != self.path:
            return self._application(environ, start_response)
        status, body = ("503 Service Unavailable", b"stopping\n") if self._stopping() else ("200 OK", b"ok\n")
        start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")])
        return [body]

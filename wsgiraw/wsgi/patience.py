"""Who watches over requests that take too long, as the gateway sees it. It says what is told, and does nothing."""

from collections.abc import Callable
from typing import Any, Protocol

from wsgiraw.http11 import Request

__all__ = ["Patience"]


class Patience(Protocol):
    """Whoever gives up requests that the application takes too long for, and then answers them itself."""

    def enter(self, request: Request, environ: dict[str, Any], cut_off: Callable[[bytes], None]) -> None:
        """Say that a request is about to be answered, or goes on, and how to give its client some last octets."""

    def pause(self, request: Request) -> None:
        """Say that it waits for its client."""

    def begin(self, request: Request) -> bool:
        """Say that the response is about to go out; return False where the request was given up."""

    def leave(self, request: Request) -> bool:
        """Say that all is over; return False where the request was given up."""

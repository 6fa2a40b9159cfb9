"""One request and its response as a trace knows them, and the connection that they belong to: names, times, thread."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any

from wsgiraw.trace.excerpt import SHOWN, excerpt
from wsgiraw.trace.secrets import Mask

__all__ = ["CONVERSATION", "Conversation", "Exchange", "Tell"]

CONVERSATION = "wsgiraw.trace"
"""The variable in which the environ of a connection has its conversation. The application does not see it."""

_LARGE = 128 * 1024
"""Octets of a piece beyond which it is not copied as a whole; no head, and nothing that is received, is as large."""

Tell = Callable[[dict[str, Any]], None]


class Conversation:
    """The exchanges of one connection. Used by whoever has the connection, one thread at a time."""

    def __init__(self, number: int, tell: Tell, at_rest: Callable[[], str], *, secrets: bool) -> None:
        """`at_rest` says in which state of the strategy a request begins."""
        self.number = number
        self.tell = tell
        self.secrets = secrets
        self.elsewhere = ""
        """The state of the strategy while the loop has given the connection away."""
        self._at_rest = at_rest
        self._masks = None if secrets else (Mask(), Mask())
        self._count = 0
        self._arriving: Exchange | None = None
        self.current: Exchange | None = None
        """Of the request that is complete, or was last."""
        self.failed = False
        """An application has failed, or a response was 5xx."""

    def arriving(self) -> "Exchange":
        """Return the exchange whose request is arriving, or about to."""
        if self._arriving is None:
            self._count += 1
            self._arriving = Exchange(self, self._count, self.elsewhere or self._at_rest())
        return self._arriving

    def arrived(self) -> "Exchange":
        """Return that exchange, whose request is complete now."""
        self.current = exchange = self.arriving()
        self._arriving = None
        exchange.complete = time.perf_counter()
        exchange.began_in = threading.get_ident()
        return exchange

    def received(self, octets: bytes) -> None:
        """Tell what the client has sent."""
        if not octets:  # which ends nothing but what the client sends
            (self._arriving or self.current or self.arriving()).tell("received", octets=0, state=self._at_rest())
            return
        shown = octets if self._masks is None else self._masks[0](octets)
        self.arriving().tell("received", octets=len(octets), **excerpt(shown))

    def sent(self, exchange: "Exchange", octets: bytes) -> None:
        """Tell what the client is sent."""
        behind = max(len(octets) - SHOWN, 0) if len(octets) > _LARGE else 0
        shown = octets[:SHOWN] if behind else octets
        if self._masks is not None:
            shown = self._masks[1](shown)
            if behind:
                self._masks[1].begin()  # what is large is a body, in which no field is cut
        exchange.note(octets)
        self.failed = self.failed or exchange.status >= 500
        exchange.tell("sent", octets=len(octets), **excerpt(shown, behind))


class Exchange:
    """What happened to one request, and when; monotonic seconds."""

    def __init__(self, conversation: Conversation, number: int, state: str) -> None:
        self.conversation = conversation
        self.number = number
        self.state = state
        """Of the strategy: `loop`, `queued`, `thread`, `handed off`, or its name where it has no loop."""
        self.began = time.perf_counter()
        self.complete = self.began
        """When the request was."""
        self.began_in = 0
        """The thread that has read the request."""
        self.answering = 0.0
        """Since when it is answered, 0 before."""
        self.parsing = self.running = self.sending = 0.0
        """How long octets were parsed, the application and the gateway ran, and the client was given octets."""
        self.status = 0
        self.octets = 0
        self.failed = False

    def tell(self, event: str, **what: Any) -> None:
        """Tell what has just happened."""
        self.conversation.tell(
            {
                "time": round(time.time(), 6),
                "pid": os.getpid(),
                "connection": self.conversation.number,
                "request": self.number,
                "ms": _milliseconds(time.perf_counter() - self.began),
                "thread": threading.current_thread().name,
                "state": self.state,
                "event": event,
                **what,
            }
        )

    def note(self, octets: bytes) -> None:
        """Count what is sent; the first octets of a response begin with its status."""
        if not self.status and octets[:9] == b"HTTP/1.1 " and octets[9:10] != b"1":
            self.status = int(octets[9:12])
        self.octets += len(octets)

    def begin_answering(self) -> None:
        """It is its turn, in this thread."""
        self.answering = time.perf_counter()
        if self.state == "queued" or (self.state == "loop" and threading.get_ident() != self.began_in):
            self.state = "thread"

    def done(self, *, complete: bool, keep_alive: bool) -> None:
        """Tell how it ended."""
        stages = {
            "arriving": self.complete - self.began - self.parsing,
            "parsing": self.parsing,
            "waiting": self.answering - self.complete,
            "application": self.running,
            "sending": self.sending,
        }
        self.tell(
            "done",
            complete=complete,
            status=self.status,
            octets=self.octets,
            keep_alive=keep_alive and complete,
            failed=self.failed or self.status >= 500 or not complete,
            stages={name: max(_milliseconds(seconds), 0.0) for name, seconds in stages.items()},
        )


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)

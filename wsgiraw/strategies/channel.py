"""One client of an event loop: its socket, its HTTP/1.1 state, and the response that is on its way. No decisions."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from wsgiraw.errors import ClientDisconnected
from wsgiraw.http11 import Connection, Request
from wsgiraw.net import Opening, Socket
from wsgiraw.observe import log
from wsgiraw.strategies.poller import READ
from wsgiraw.strategies.timeouts import Deadlines
from wsgiraw.strategies.transmit import Outgoing, cut_off, left, transmit
from wsgiraw.wsgi import Octets

if TYPE_CHECKING:
    from wsgiraw.strategies.crew import Member

__all__ = ["Channel", "Next"]

_DISCARD = 64 * 1024


class Next(Enum):
    """What comes next for a channel."""

    INPUT = auto()
    """More of the client, of a request or of the next one."""
    ROOM = auto()
    """Room for more output, or others have their turn first."""
    GOODBYE = auto()
    """The last word has been said."""
    DROP = auto()
    """Nothing: the client has gone."""
    ABORT = auto()
    """Nothing: the response broke off, and the client must be able to tell."""


class Channel:
    """What a loop keeps for each connection, from accepting to closing."""

    __slots__ = (
        "connection",
        "deadlines",
        "descriptor",
        "environ",
        "gathered",
        "given_up",
        "interest",
        "lingers",
        "lost",
        "mark",
        "on_ready",
        "opening",
        "owner",
        "request",
        "response",
        "socket",
        "taken",
        "unsent",
    )

    def __init__(
        self,
        sock: Socket,
        connection: Connection,
        environ: dict[str, Any],
        on_ready: "Callable[[Channel], bool | None]",
    ) -> None:
        self.socket = sock
        self.descriptor = sock.fileno()
        self.connection = connection
        self.environ = environ
        self.on_ready = on_ready
        """What the loop does once the socket is ready for `interest`; true: another thread has the loop now."""
        self.interest = READ
        """What the poller reports; 0 while it does not watch the socket."""
        self.opening: Opening | None = None
        """What comes before HTTP, until it is complete."""
        self.mark = 0
        """What had moved when `deadlines` began to count: see `EventLoop`."""
        self.taken = 0
        """Octets that `flush` has given to the socket."""
        self.request: Request | None = None
        """A complete request that is being answered, or about to be."""
        self.response: Iterator[Octets] | None = None
        """The response to `request`, not yet pulled to its end."""
        self.gathered: list[bytes] = []
        """Complete responses to pipelined requests, to be sent together."""
        self.unsent: Outgoing | None = None
        """What the socket has not taken yet; nothing else is sent, and no piece is asked for, before it has."""
        self.owner: Member | None = None
        """The thread that must go on with `response`: an application's iterable is iterated by one thread alone."""
        self.given_up: Next | None = None
        """How to part once `response` has been closed."""
        self.lost = False
        """Nobody waits any more for the thread that answers it."""
        self.lingers = False
        """It is we who end this connection: read on for a while after the last word."""
        self.deadlines: Deadlines[Channel] | None = None
        """Where the channel waits for its timeout."""

    def send(self, octets: Octets) -> None:
        """Send octets behind everything gathered; what the socket does not take is left in `unsent`."""
        if self.gathered:
            gathered = b"".join(self.gathered)
            self.gathered.clear()
            if isinstance(octets, bytes):
                octets = gathered + octets
            elif (rest := transmit(self.socket, gathered)) is not None:
                self.gathered.append(bytes(rest))
                self.unsent = octets
                return
        self.unsent = transmit(self.socket, octets)

    def flush(self) -> bool:
        """Send what is left of the octets before; return whether nothing is left."""
        if self.gathered:
            gathered = b"".join(self.gathered)
            self.gathered.clear()
            rest = transmit(self.socket, gathered)
            self.taken += len(gathered) - left(rest)
            if rest is not None:
                self.gathered.append(bytes(rest))
                return False
        if (unsent := self.unsent) is not None:
            self.unsent = transmit(self.socket, unsent)
            self.taken += left(unsent) - left(self.unsent)
        return self.unsent is None

    def write_now(self, octets: bytes) -> int:
        """Send octets of the application's `write()`; return how many the socket took."""
        try:
            if not self.flush():
                return 0
            rest = transmit(self.socket, octets)
        except OSError as error:
            raise ClientDisconnected from error
        if rest is not None and not left(rest):
            self.unsent = rest  # all is encrypted, and some of that is to be sent before anything else
        return len(octets) - left(rest)

    def discard(self) -> bool | None:
        """Take some of what has arrived and forget it; return whether there was any, None at the end."""
        try:
            return bool(self.socket.recv(_DISCARD)) or None
        except BlockingIOError:
            return False
        except OSError:
            return None

    def cut_off(self, octets: bytes) -> None:
        """End the connection; before, give the client some last octets, if the thread that answers it sends none."""
        self.lost = True
        cut_off(self.socket, b"".join(self.gathered) + octets if octets else b"")

    def close_response(self) -> None:
        """Give up the response, if there is one. The application's `close()` runs."""
        response, self.response = self.response, None
        if response is None:
            return
        try:
            response.close()  # type: ignore[attr-defined]  # a generator
        except KeyboardInterrupt:
            if threading.current_thread() is threading.main_thread():
                raise  # the operator's Ctrl-C; in any other thread it is the application's own
            log.error("the application raised KeyboardInterrupt")

    def close(self, close: Callable[[Socket], None]) -> None:
        """Give everything back, the socket by `close`. The application's `close()` runs."""
        self.close_response()
        if self.deadlines is not None:
            self.deadlines.cancel(self)
            self.deadlines = None
        self.connection.close()
        if self.request is not None and self.request.body is not None:  # of a request that was never begun, perhaps
            with suppress(BufferError, OSError, ValueError):  # else the application may have exported or detached it
                self.request.body.close()
        close(self.socket)

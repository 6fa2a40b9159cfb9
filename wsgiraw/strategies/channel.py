"""One client of an event loop: its socket, its HTTP/1.1 state, and the response that is on its way. No decisions."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

from wsgiraw.errors import ClientDisconnected
from wsgiraw.http11 import Connection, Request
from wsgiraw.strategies.poller import READ
from wsgiraw.strategies.timeouts import Deadlines
from wsgiraw.strategies.transmit import Outgoing, transmit
from wsgiraw.wsgi import Octets

__all__ = ["Channel"]


class Channel:
    """What a loop keeps for each connection, from accepting to closing."""

    __slots__ = (
        "connection",
        "deadlines",
        "descriptor",
        "environ",
        "gathered",
        "interest",
        "lingers",
        "on_ready",
        "request",
        "response",
        "socket",
        "unsent",
    )

    def __init__(
        self,
        sock: socket.socket,
        connection: Connection,
        environ: dict[str, Any],
        on_ready: "Callable[[Channel], None]",
    ) -> None:
        self.socket = sock
        self.descriptor = sock.fileno()
        self.connection = connection
        self.environ = environ
        self.on_ready = on_ready
        """What the loop does once the socket is ready for `interest`."""
        self.interest = READ
        self.request: Request | None = None
        self.response: Iterator[Octets] | None = None
        """The response to `request`, not yet pulled to its end."""
        self.gathered: list[bytes] = []
        """Complete responses to pipelined requests, to be sent together."""
        self.unsent: Outgoing | None = None
        """What the socket has not taken yet; nothing else is sent, and no piece is asked for, before it has."""
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
            rest = transmit(self.socket, b"".join(self.gathered))
            self.gathered.clear()
            if rest is not None:
                self.gathered.append(bytes(rest))
                return False
        if self.unsent is not None:
            self.unsent = transmit(self.socket, self.unsent)
        return self.unsent is None

    def write_now(self, octets: bytes) -> int:
        """Send octets of the application's `write()`; return how many the socket took."""
        try:
            if not self.flush():
                return 0
            rest = transmit(self.socket, octets)
        except OSError as error:
            raise ClientDisconnected from error
        return len(octets) - (0 if rest is None else len(rest))

    def close(self, close: Callable[[socket.socket], None]) -> None:
        """Give everything back, the socket by `close`. The application's `close()` runs."""
        response, self.response = self.response, None
        if response is not None:
            response.close()  # type: ignore[attr-defined]  # a generator
        if self.deadlines is not None:
            self.deadlines.cancel(self)
            self.deadlines = None
        self.connection.close()
        close(self.socket)

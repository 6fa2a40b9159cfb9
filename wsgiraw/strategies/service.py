"""What a strategy is given: where to listen, what to call, how long and how much, and when to stop."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from socket import socket
from ssl import DER_cert_to_PEM_cert
from typing import TYPE_CHECKING, Any, NamedTuple

from wsgiraw.http11 import Connection
from wsgiraw.net import Certificates, Listener, Opening, TLSSocket, abort
from wsgiraw.observe import log
from wsgiraw.strategies.presence import has_left
from wsgiraw.strategies.pulse import Pulse
from wsgiraw.strategies.stop import Stop
from wsgiraw.strategies.tally import Tally
from wsgiraw.strategies.timeouts import Timeouts
from wsgiraw.trust import TrustedPeers
from wsgiraw.wsgi import REDIRECT, Gateway, open_spool_file, tls_environ

if TYPE_CHECKING:
    from wsgiraw.strategies.loop import EventLoop

__all__ = ["Capacity", "Newcomer", "Service", "opened"]


_TURN = 32
"""Connections of strangers that are closed, where only proxies may connect, before others get their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How much at a time."""

    threads: int = 8
    """That run the application."""
    children: int = 64
    """Processes of `forking`."""
    queue: int = 1024
    """Complete requests that wait for a thread; the next is answered with 503."""
    queue_timeout: float = 60.0
    """Seconds that a complete request waits for a thread before it is answered with 503."""
    handoff_after: float = 0.001
    """Seconds that a call may hold up the loop of `handoff`."""
    connections: int = 2**20
    """Clients of a loop; there is no more room then."""
    concurrency: int = 0
    """Requests of a loop that are being answered; the next is answered with 503. 0 sets no limit."""


class Newcomer(NamedTuple):
    """A connection that has been accepted."""

    socket: socket
    environ: dict[str, Any]
    """What is equal for each of its requests; `opened` completes it where something comes before HTTP."""
    opening: Opening | None
    """What comes before HTTP, if anything does."""


def _new_connection(gateway: Gateway, environ: dict[str, Any]) -> Connection:
    return Connection(gateway.limits, open_spool_file)


def _unwatched(loop: "EventLoop") -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Everything that `Strategy.serve` needs."""

    listeners: Sequence[Listener]
    gateway: Gateway
    stop: Stop
    timeouts: Timeouts = field(default_factory=Timeouts)
    capacity: Capacity = field(default_factory=Capacity)
    pulse: Pulse = field(default_factory=Pulse)
    tally: Tally = field(default_factory=Tally)
    certificates: Certificates | None = None
    """With them, TLS is spoken wherever clients are not sent to https."""
    announcers: TrustedPeers = field(default_factory=TrustedPeers)
    """Whose connections begin with a PROXY header, if there are any: all others are closed."""
    shared: bool = False
    """Other processes listen on the same sockets: what is queued there is not ours alone."""
    health_path: str = ""
    """A path that is answered without the application."""
    new_connection: Callable[[Gateway, dict[str, Any]], Connection] = _new_connection
    """Begins HTTP with a newcomer, whose environ it is given."""
    watch: Callable[["EventLoop"], None] = _unwatched
    """Is shown each loop before it turns, so that a trace can say what the loop gives away. It may not meddle."""

    def accept(self, listener: Listener) -> Newcomer | None:
        """Return the next connection, or None: for now there is none. Raises `OutOfDescriptors`."""
        for _ in range(_TURN):
            accepted = listener.accept()
            if accepted is None:
                return None
            sock, address, port = accepted
            announced = bool(self.announcers)
            if announced and address not in self.announcers:
                log.debug("%s is no trusted proxy, from which a PROXY header would be believed", address)
                abort(sock)
                continue
            environ = self.gateway.connection_environ((listener.server_name, listener.server_port), (address, port))
            environ["wsgiraw.client_gone"] = partial(has_left, sock)
            certificates = self.certificates
            if listener.redirects:
                certificates = None
                environ[REDIRECT] = self._tls_port()
            if certificates is not None:
                certificates.refresh(time.monotonic())
            opening = None
            if announced or certificates is not None:
                opening = Opening(sock, certificates, proxied=announced)
            return Newcomer(sock, environ, opening)
        return None

    def _tls_port(self) -> str:
        """Return where clients are sent to."""
        return next((str(one.port) for one in self.listeners if one.port and not one.redirects), "443")

    def refuse_newcomers(self) -> None:
        """Let nobody else into the kernel's queues, before they are emptied for the last time."""
        if not self.shared:
            for listener in self.listeners:
                listener.refuse_newcomers()


def opened(opening: Opening, environ: dict[str, Any]) -> None:
    """Complete the environ of a connection, now that HTTP may begin."""
    if opening.client is not None:
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = opening.client
    if isinstance(opening.socket, TLSSocket):
        shown = opening.socket.peer_certificate()
        certificate = None if shown is None else (shown[0], DER_cert_to_PEM_cert(shown[1]))
        environ.update(tls_environ(*opening.socket.protocol, certificate))

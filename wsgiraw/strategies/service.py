"""What a strategy is given: where to listen, what to call, how long and how much, and when to stop."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from socket import socket
from typing import Any

from wsgiraw.net import Listener
from wsgiraw.strategies.pulse import Pulse
from wsgiraw.strategies.stop import Stop
from wsgiraw.strategies.timeouts import Timeouts
from wsgiraw.wsgi import Gateway

__all__ = ["Capacity", "Service"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Everything that `Strategy.serve` needs."""

    listeners: Sequence[Listener]
    gateway: Gateway
    stop: Stop
    timeouts: Timeouts = field(default_factory=Timeouts)
    capacity: Capacity = field(default_factory=Capacity)
    pulse: Pulse = field(default_factory=Pulse)
    shared: bool = False
    """Other processes listen on the same sockets: what is queued there is not ours alone."""
    health_path: str = ""
    """A path that is answered without the application."""

    def accept(self, listener: Listener) -> tuple[socket, dict[str, Any]] | None:
        """Return the next connection and its part of the environ, or None. Raises `OutOfDescriptors`."""
        accepted = listener.accept()
        if accepted is None:
            return None
        sock, address, port = accepted
        return sock, self.gateway.connection_environ((listener.server_name, listener.server_port), (address, port))

    def refuse_newcomers(self) -> None:
        """Let nobody else into the kernel's queues, before they are emptied for the last time."""
        if not self.shared:
            for listener in self.listeners:
                listener.refuse_newcomers()

"""Servers that do something wrong on purpose: threads with raw sockets, and a function that each connection meets."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.wire import PATIENCE
from wsgiraw.compare.behaviour.application import application

__all__ = ["Broken", "Fault", "Talk", "broken", "held", "ok"]


class Talk:
    """A connection, from the server's side."""

    def __init__(self, server: "Broken", connection: socket.socket) -> None:
        self.server = server
        self.socket = connection
        self.received = b""

    def head(self) -> bytes:
        """Return the next head; what follows it stays in `received`."""
        while b"\r\n\r\n" not in self.received:
            self._hear()
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        return head

    def body(self, length: int) -> bytes:
        """Return so many octets."""
        while len(self.received) < length:
            self._hear()
        body, self.received = self.received[:length], self.received[length:]
        return body

    def say(self, octets: bytes) -> None:
        """Send."""
        self.socket.sendall(octets)

    def wait(self) -> None:
        """Say no more until the client leaves."""
        while self.socket.recv(65536):
            pass

    def _hear(self) -> None:
        octets = self.socket.recv(65536)
        if not octets:
            raise ConnectionError("the client has left")
        self.received += octets


Fault = Callable[[Talk], object]
"""What is done to a connection."""


class Broken:
    """A server that gives each connection to a function, in a thread of its own, and closes when that returns."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listening.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def terminate(self) -> None:
        """End at once, as a process does that knows no SIGTERM."""
        self.end()

    def end(self) -> None:
        """End at once."""
        with suppress(OSError):  # it has ended before
            self._listening.shutdown(socket.SHUT_RDWR)
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def join(self) -> None:
        """Wait until nothing is left of it."""
        for thread in self._threads:
            thread.join(PATIENCE)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):  # it has been told to end
            while True:
                connection, _ = self._listening.accept()
                self._connections.append(connection)
                self._threads.append(threading.Thread(target=self._serve, args=[connection]))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._fault(Talk(self, connection))


@contextmanager
def broken(fault: Fault) -> Iterator[Broken]:
    """Run a server that has a fault."""
    server = Broken(fault)
    try:
        yield server
    finally:
        server.end()
        server.join()


def ok(body: bytes, *lines: str) -> bytes:
    """Return a right answer."""
    fields = "".join(f"{line}\r\n" for line in (f"Content-Length: {len(body)}", *lines))
    return f"HTTP/1.1 200 OK\r\n{fields}\r\n".encode() + body


def held(head: bytes) -> bytes:
    """Have the application hold a request; return its body."""
    _, _, query = head.split(b" ")[1].decode().partition("?")
    environ = {"PATH_INFO": "/hold", "QUERY_STRING": query}
    return b"".join(application(environ, lambda status, fields, exc_info=None: lambda octets: None))

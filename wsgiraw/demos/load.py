"""The client of this chapter: many connections at once, and when each was answered.

Each of `--clients` opens `--connections`, one after the other, and waits for the end of each response. Clients
are threads here, since they only wait.
"""

import socket
import threading
import time
from queue import SimpleQueue

from wsgiraw.demos.arguments import count
from wsgiraw.flags import FlagParser

__all__ = ["PORT", "TRY", "add_arguments", "run"]

PORT = 8888
TRY = "wsgiraw demo iterative"

PATIENCE = 60.0
"""Seconds to wait for each connection's next octets."""


def add_arguments(parser: FlagParser) -> None:
    """How many."""
    parser.add_argument("--clients", type=count, default=5, help="Clients at once [default 5].")
    parser.add_argument("--connections", type=count, default=1, help="Connections of each [default 1].")


def run(host: str, port: int, clients: int, connections: int) -> int:
    """Print when each connection was answered, as they are; return 1 if one was not."""
    began = time.monotonic()
    answers: SimpleQueue[tuple[int, int, float, bytes]] = SimpleQueue()

    def client(number: int) -> None:
        for connection in range(1, connections + 1):
            reply = ask(host, port)
            answers.put((number, connection, time.monotonic() - began, reply))

    for number in range(1, clients + 1):
        threading.Thread(target=client, args=(number,), daemon=True).start()
    failed = 0
    for _ in range(clients * connections):
        number, connection, seconds, reply = answers.get()
        failed += not reply.startswith(b"HTTP/")
        line = reply.partition(b"\r\n")[0].decode("latin-1")
        print(f"{seconds:6.2f} s: client {number}, connection {connection}: {line}")
    print(f"{clients * connections - failed} of {clients * connections} answered")
    if failed == clients * connections:
        print(f"Nobody serves {host} port {port}: start a demo there first, such as wsgiraw demo iterative.")
    return 1 if failed else 0


def ask(host: str, port: int) -> bytes:
    """Return the response to one request, or what went wrong."""
    reply = b""
    try:
        with socket.create_connection((host, port), PATIENCE) as connection:
            connection.sendall(b"GET /hello HTTP/1.0\r\nHost: %s\r\n\r\n" % host.encode())
            while piece := connection.recv(65536):
                reply += piece
    except OSError as error:
        return f"{error.strerror or error} after {len(reply)} octets".encode()
    return reply or b"closed without an answer"

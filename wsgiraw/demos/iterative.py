"""Serve one client at a time, each for a second: the others wait, in the kernel's queue.

Nobody is refused while they wait. But a client that connects and says nothing holds up all, and for ever.
"""

import os
import socket
import sys
import time

from wsgiraw.demos.arguments import add_seconds
from wsgiraw.demos.hello import part
from wsgiraw.demos.http10 import read_head

__all__ = ["PORT", "RESPONSE", "TRY", "add_arguments", "converse", "respond", "serve"]

PORT = 8888
TRY = "wsgiraw demo load --port {port}"

# Without Content-Length: it ends where the connection ends, so a client notices when that does not.
RESPONSE = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nHello, World!\n"

add_arguments = add_seconds


def serve(listener: socket.socket, seconds: float) -> None:
    """Serve one client after the other."""
    while True:
        client, (_, port, *_) = listener.accept()
        converse(client, port, seconds)


def converse(client: socket.socket, port: int, seconds: float) -> None:
    """Serve a client from beginning to end, whoever calls it: this loop, a child, or a thread."""
    with client:
        try:
            respond(client, seconds)
            part(client)
        except OSError as error:
            said = f"lost: {error.strerror}"
        else:
            said = "answered"
        sys.stdout.write(f"process {os.getpid()}: port {port} {said}\n")  # in one piece, where others write too


def respond(client: socket.socket, seconds: float) -> None:
    """Read a request, work for a while, and answer."""
    read_head(client)
    time.sleep(seconds)  # an application that waits for a database
    client.sendall(RESPONSE)

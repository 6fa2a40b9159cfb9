"""A thread for each connection: as simple as `iterative`, and nobody waits for anybody.

A thread costs less than a process, but still some memory, and the silent keep theirs. There is no bound here either.
"""

import socket
import threading

from wsgiraw.demos.arguments import add_seconds
from wsgiraw.demos.iterative import converse

__all__ = ["PORT", "TRY", "add_arguments", "serve"]

PORT = 8888
TRY = "wsgiraw demo load --clients 50 --port {port}"

add_arguments = add_seconds


def serve(listener: socket.socket, seconds: float) -> None:
    """Serve each client in a thread."""
    while True:
        client, (_, port, *_) = listener.accept()
        # Threads share descriptors: the one that serves closes, and it alone. Daemon: Ctrl-C does not wait for them.
        threading.Thread(target=converse, args=(client, port, seconds), daemon=True).start()

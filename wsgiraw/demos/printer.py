"""Accept one connection, print who it is, and end.

The least that a TCP server can do. It neither reads nor writes.
"""

import socket

__all__ = ["PORT", "TRY", "serve"]

PORT = 12345
TRY = "nc {host} {port}"


def serve(listener: socket.socket) -> None:
    """Wait for one client. `command.listen` has made the listener: socket, bind, listen."""
    connection, (host, port, *_) = listener.accept()
    with connection:
        # The listener keeps its port; each connection is a socket of its own, told apart by the other end's address.
        print(f"connected: {host} port {port}")

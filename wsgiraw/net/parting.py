"""Ways to part with a client."""

import socket
import struct
from contextlib import suppress

__all__ = ["abort", "cut", "end"]

_LINGER_NOT = struct.pack("ii", 1, 0)


def abort(connection: socket.socket) -> None:
    """Close so that the client can tell that something is missing: with a reset instead of an orderly end."""
    with suppress(OSError):  # it has gone already
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    connection.close()


def end(connection: socket.socket) -> None:
    """End a connection that another thread uses and will close: from now on it reads the end, and sends in vain."""
    with suppress(OSError):  # it has gone already
        connection.shutdown(socket.SHUT_RDWR)


def cut(connection: socket.socket) -> None:
    """End it so that the client can tell that something is missing, unless it has read so far before it is closed."""
    with suppress(OSError):  # it has gone already
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    end(connection)

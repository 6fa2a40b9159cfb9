"""Ways to part with a client. An orderly one is the socket's own `close`, which says goodbye where TLS is spoken."""

import socket
import struct
from contextlib import suppress

from wsgiraw.net.tls_socket import Socket, TLSSocket

__all__ = ["abort", "cut", "end", "leave"]

_LINGER_NOT = struct.pack("ii", 1, 0)


def leave(connection: Socket) -> None:
    """Close in good order."""
    connection.close()


def abort(connection: Socket) -> None:
    """Close so that the client can tell that something is missing: with a reset instead of an orderly end."""
    plain = _plain(connection)
    with suppress(OSError):  # it has gone already
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    plain.close()


def end(connection: Socket) -> None:
    """End a connection that another thread uses and will close: from now on it reads the end, and sends in vain."""
    with suppress(OSError):  # it has gone already
        _plain(connection).shutdown(socket.SHUT_RDWR)


def cut(connection: Socket) -> None:
    """End it so that the client can tell that something is missing, unless it has read so far before it is closed."""
    with suppress(OSError):  # it has gone already
        _plain(connection).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    end(connection)


def _plain(connection: Socket) -> socket.socket:
    return connection.socket if isinstance(connection, TLSSocket) else connection

"""How much of what we have sent is still on its way to a client, who has not acknowledged it."""

import fcntl
import sys
import termios
from array import array

from wsgiraw.net import Socket, TLSSocket

__all__ = ["kept"]


def kept(connection: Socket) -> int:
    """Return the octets that were sent and that the client has not acknowledged.

    Some may be encrypted and wait for room in the kernel; the others are the kernel's, where the system tells of them.
    """
    return _kept_by_kernel(connection) + (connection.unsent if isinstance(connection, TLSSocket) else 0)


def _kept_by_kernel(connection: Socket) -> int:
    if sys.platform != "linux":
        return 0
    size = array("i", [0])
    try:
        fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, size)  # SIOCOUTQ of tcp(7), unix(7) by another name
    except (OSError, ValueError):  # it has gone
        return 0
    return size[0]

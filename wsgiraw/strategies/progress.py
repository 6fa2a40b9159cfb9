"""How much of what we have sent the kernel still keeps for a client, who has not acknowledged it."""

import fcntl
import sys
import termios
from array import array

from wsgiraw.net import Socket

__all__ = ["kept_by_kernel"]


def kept_by_kernel(connection: Socket) -> int:
    """Return the octets that were sent and that the client has not acknowledged; 0 where the system does not say."""
    if sys.platform != "linux":
        return 0
    size = array("i", [0])
    try:
        fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, size)  # SIOCOUTQ of tcp(7), unix(7) by another name
    except (OSError, ValueError):  # it has gone
        return 0
    return size[0]

"""Octets and files to a non-blocking socket: as much as it takes now, and what is left."""

import os
import socket
from contextlib import suppress

from wsgiraw.errors import ApplicationError
from wsgiraw.net import cut, end
from wsgiraw.observe import log
from wsgiraw.wsgi import FileSegment

__all__ = ["Outgoing", "cut_off", "transmit"]

Outgoing = bytes | memoryview | FileSegment

_FILE_TURN = 4 * 1024 * 1024
"""Octets of a file after which others get their turn, bytes."""


def transmit(sock: socket.socket, octets: Outgoing) -> Outgoing | None:
    """Send what the socket takes; return the rest, None where nothing is left.

    Raises `OSError` where the client has gone, `ApplicationError` where a file has become shorter than announced.
    """
    if isinstance(octets, FileSegment):
        return _transmit_file(sock, octets)
    try:
        sent = sock.send(octets)
    except BlockingIOError:
        return octets
    return None if sent == len(octets) else memoryview(octets)[sent:]


def cut_off(sock: socket.socket, octets: bytes) -> None:
    """End a connection that another thread uses and will close; give the client last octets if that sends none."""
    if octets:
        with suppress(OSError):
            transmit(sock, octets)
        end(sock)
    else:
        cut(sock)


def _transmit_file(sock: socket.socket, segment: FileSegment) -> FileSegment | None:
    descriptor, offset, size = segment
    stop = offset + size
    turn = min(stop, offset + _FILE_TURN)
    try:
        while offset < turn:
            sent = os.sendfile(sock.fileno(), descriptor, offset, turn - offset)
            if sent == 0:
                log.error("a file became shorter while it was sent: the connection is cut")
                raise ApplicationError("the file became shorter while it was sent")
            offset += sent
    except BlockingIOError:
        pass
    return FileSegment(descriptor, offset, stop - offset) if offset < stop else None

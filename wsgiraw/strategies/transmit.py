"""Octets and files to a non-blocking socket: as much as it takes now, and what is left."""

import os
import socket
from contextlib import suppress

from wsgiraw.errors import ApplicationError
from wsgiraw.net import Socket, TLSSocket, cut, end
from wsgiraw.observe import log
from wsgiraw.wsgi import FileSegment

__all__ = ["Outgoing", "cut_off", "left", "transmit"]

Outgoing = bytes | memoryview | FileSegment

_FILE_TURN = 4 * 1024 * 1024
"""Octets of a file after which others get their turn, bytes."""
_TLS_TURN = 512 * 1024
"""Octets to be encrypted after which others get their turn, bytes: a millisecond, more or less."""
_BLOCK = 64 * 1024


def transmit(sock: Socket, octets: Outgoing) -> Outgoing | None:
    """Send what the socket takes; return the rest, None where nothing is left.

    Over TLS the rest may be empty: all is encrypted, but the socket has not taken all of that. Raises `OSError` where
    the client has gone, `ApplicationError` where a file has become shorter than announced.
    """
    if type(sock) is TLSSocket:
        return _transmit_encrypted(sock, octets)
    if type(octets) is FileSegment:
        return _transmit_file(sock, octets)
    try:
        sent = sock.send(octets)
    except BlockingIOError:
        return octets
    return None if sent == len(octets) else memoryview(octets)[sent:]


def left(octets: Outgoing | None) -> int:
    """Return how many octets there are."""
    return 0 if octets is None else octets.size if isinstance(octets, FileSegment) else len(octets)


def cut_off(sock: Socket, octets: bytes) -> None:
    """End a connection that another thread uses and will close; give the client last octets if that sends none."""
    if octets:
        with suppress(OSError):
            transmit(sock, octets)
            sock.shutdown(socket.SHUT_WR)  # says goodbye where TLS is spoken
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
                raise _too_short()
            offset += sent
    except BlockingIOError:
        pass
    return FileSegment(descriptor, offset, stop - offset) if offset < stop else None


def _transmit_encrypted(sock: TLSSocket, octets: Outgoing) -> Outgoing | None:
    rest, turn = octets, _TLS_TURN
    try:
        while left(rest) and turn > 0:
            if isinstance(rest, FileSegment):
                block = os.pread(rest.descriptor, min(rest.size, _BLOCK), rest.offset)
                if not block:
                    raise _too_short()
                sent = sock.send(block)
                rest = FileSegment(rest.descriptor, rest.offset + sent, rest.size - sent)
            else:
                sent = sock.send(rest)
                rest = memoryview(rest)[sent:]
            turn -= sent
    except BlockingIOError:
        return rest
    return rest if left(rest) or not sock.flush() else None


def _too_short() -> ApplicationError:
    log.error("a file became shorter while it was sent: the connection is cut")
    return ApplicationError("the file became shorter while it was sent")

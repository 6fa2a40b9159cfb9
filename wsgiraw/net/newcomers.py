"""Keeping newcomers out of a listening socket, so that its queue can be emptied and closed without a reset for anybody.

For every process that shares the socket, and for good. Without effect on TCP other than Linux's.
"""

import socket
import struct
import sys
from array import array
from contextlib import suppress

__all__ = ["refuse_newcomers"]

_SO_ATTACH_FILTER = 26
"""Linux asm-generic/socket.h."""

_DROP_SYN = (
    (0x30, 0, 0, 13),  # BPF_LD + BPF_B + BPF_ABS: the octet of the TCP header that has the flags (RFC 9293 §3.1)
    (0x45, 0, 1, 0x02),  # BPF_JMP + BPF_JSET: is SYN set?
    (0x06, 0, 0, 0),  # BPF_RET: yes, drop it
    (0x06, 0, 0, 0xFFFFFFFF),  # BPF_RET: no, keep all of it; handshakes that have begun come to their end
)
"""Classic BPF (Linux networking/filter.rst): nobody begins a connection any more."""


def refuse_newcomers(listening: socket.socket) -> None:
    """Let nobody else into the queue; whoever is in it can still be accepted."""
    with suppress(OSError):
        if listening.family == socket.AF_UNIX:
            listening.shutdown(socket.SHUT_RD)
        elif sys.platform == "linux":
            # A client whose first segment is lost asks again, and then nobody listens: it is refused.
            program = array("B", b"".join(struct.pack("HBBI", *step) for step in _DROP_SYN))
            fprog = struct.pack("HP", len(_DROP_SYN), program.buffer_info()[0])
            listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, fprog)

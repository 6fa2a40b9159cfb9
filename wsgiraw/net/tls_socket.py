"""A socket that speaks TLS (RFC 8446, RFC 5246), by OpenSSL over memory: nothing here blocks, and each call has an end.

It has as much of a socket's methods as strategies use. `recv` gives all that can be decrypted of what it has read, so
nothing that a poller cannot see waits here; output that the kernel does not take at once is kept, and goes first.
"""

import ssl
from collections.abc import Mapping
from contextlib import suppress
from socket import SHUT_RD, SHUT_WR, socket
from typing import final

__all__ = ["Socket", "TLSSocket"]

_RECEIVE = 16 * 1024 + 512
"""Octets read at once: a record has up to 16 KiB of data and 256 or 2048 octets around it (RFC 8446 §5.2). Records can
also say things that take work and bring nothing, so few are taken before others get their turn."""

_SEND = 32 * 1024
"""Octets encrypted at once. The memory for them stays with the connection, also while it is idle: more is no faster."""

_MOST_UNSENT = 64 * 1024
_MOST_WITHOUT_DATA = 32 * 1024
"""Octets of key updates and the like that a client may send in a row (RFC 8446 §4.6.3): it has no reason for many."""


@final
class TLSSocket:
    """The server's side. All methods raise `OSError` (`ssl.SSLError` is one) where the connection cannot go on."""

    __slots__ = ("_ended", "_incoming", "_outgoing", "_said_goodbye", "_tls", "_unsent", "_without_data", "socket")

    def __init__(self, sock: socket, context: ssl.SSLContext, received: bytes = b"") -> None:
        """Take over a connected socket that does not block, and octets that have been read from it."""
        self.socket = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._unsent: bytes | memoryview = b""
        """Encrypted, and not taken by the kernel yet."""
        self._without_data = 0
        self._said_goodbye = False
        self._ended = False
        if received:
            self._incoming.write(received)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self.socket.fileno()

    def handshake(self) -> bool:
        """Go on with the handshake as far as what has arrived allows; return whether it is complete.

        Where it is not, `wants_room` says what to wait for.
        """
        if not self._incoming.pending and not self.wants_room:
            self._feed()
            if self._ended:
                raise ConnectionResetError("the client has left during the handshake")
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self.flush()
            return False
        except ssl.SSLError:
            with suppress(OSError):
                self.flush()  # the alert that says why
            raise
        self._without_data = 0
        return self.flush()

    @property
    def unsent(self) -> int:
        """Octets that are encrypted and that the kernel has not taken yet."""
        return len(self._unsent)

    @property
    def wants_room(self) -> bool:
        """Something waits for room in the socket."""
        return bool(self._unsent)

    def recv(self, size: int) -> bytes:
        """Return what has arrived, b"" at its end. Raises `BlockingIOError` where that is nothing yet.

        `size` is not minded: all that one read brings is returned. After `shutdown` nothing is decrypted any more.
        """
        if self._said_goodbye:
            return self.socket.recv(size)
        if self._ended:
            return b""
        if not self._incoming.pending:
            self._feed()
        try:
            return self._decrypt()
        finally:
            if self._outgoing.pending:
                self.flush()
                if len(self._unsent) > _MOST_UNSENT:
                    raise ConnectionAbortedError("the client lets TLS talk and does not listen")

    def _feed(self) -> None:
        """Read once from the socket."""
        octets = self.socket.recv(_RECEIVE)
        if octets:
            self._incoming.write(octets)
            self._without_data += len(octets)
        else:
            self._ended = True  # OpenSSL is not told: it would send no more

    def _decrypt(self) -> bytes:
        tls, incoming = self._tls, self._incoming
        data = b""
        try:
            while piece := tls.read(_RECEIVE):
                data += piece
                if not (incoming.pending or tls.pending()):
                    break
            else:  # the client has said goodbye, and need not have closed
                self._ended = True
                with suppress(OSError):
                    self.socket.shutdown(SHUT_RD)  # so that a poller shows it, too
        except ssl.SSLWantReadError:
            pass
        if data:
            self._without_data = 0
        elif not self._ended:
            if self._without_data > _MOST_WITHOUT_DATA:
                raise ConnectionAbortedError("the client sends TLS records without data")
            raise BlockingIOError
        return data

    def send(self, octets: bytes | memoryview) -> int:
        """Encrypt some octets and send them; return how many. They may still be here afterwards: see `flush`.

        Raises `BlockingIOError` where there is no room even for what was encrypted before.
        """
        if self._unsent and not self.flush():
            raise BlockingIOError
        if not octets:
            return 0
        sent = self._tls.write(memoryview(octets)[:_SEND])
        self.flush()
        return sent

    def flush(self) -> bool:
        """Send what is encrypted; return whether nothing is left."""
        if self._outgoing.pending:
            fresh = self._outgoing.read()
            self._unsent = bytes(self._unsent) + fresh if self._unsent else fresh
        while self._unsent:
            try:
                sent = self.socket.send(self._unsent)
            except BlockingIOError:
                return False
            self._unsent = memoryview(self._unsent)[sent:] if sent < len(self._unsent) else b""
        return True

    def shutdown(self, how: int = SHUT_WR) -> None:
        """Say that nothing more will be sent (RFC 8446 §6.1); `how` is SHUT_WR."""
        self._say_goodbye()
        self.socket.shutdown(how)

    def close(self) -> None:
        """Say goodbye if that can be said at once, and close."""
        if not self._said_goodbye:
            with suppress(OSError, ValueError):
                self._say_goodbye()
        self.socket.close()

    def _say_goodbye(self) -> None:
        self._said_goodbye = True
        with suppress(ssl.SSLError):  # it would wait for the client's; or there was no handshake yet
            self._tls.unwrap()
        self.flush()

    def peer_certificate(self) -> tuple[Mapping[str, object], bytes] | None:
        """Return the client's certificate as `ssl.SSLSocket.getpeercert` has it, and as DER, if it has shown one."""
        der = self._tls.getpeercert(binary_form=True)
        if der is None:
            return None
        try:
            return self._tls.getpeercert() or {}, der
        except (ValueError, OSError):  # an authority has signed what Python cannot read
            return {}, der

    @property
    def protocol(self) -> tuple[str, str]:
        """Version and cipher, such as ("TLSv1.3", "TLS_AES_256_GCM_SHA384")."""
        cipher = self._tls.cipher()
        return self._tls.version() or "", cipher[0] if cipher else ""


Socket = socket | TLSSocket
"""What a connection is read from and written to."""

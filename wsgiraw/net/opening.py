"""What comes on a connection before HTTP: a PROXY header, then a TLS handshake. It reads and writes, never waits."""

from socket import socket

from wsgiraw.net.proxy_protocol import parse
from wsgiraw.net.tls import Certificates
from wsgiraw.net.tls_socket import Socket, TLSSocket

__all__ = ["NotTLS", "Opening"]

_RECEIVE = 4096
_HANDSHAKE = 0x16
"""The octet that each TLS handshake begins with (RFC 8446 §5.1)."""


class NotTLS(Exception):
    """The client does not speak TLS; as likely as not it speaks plain HTTP."""


class Opening:
    """The beginning of one connection. Call `advance` when the socket is ready for what it wants."""

    def __init__(self, sock: socket, certificates: Certificates | None, *, proxied: bool = False) -> None:
        """`proxied`: a PROXY header comes first, whose word on the client is taken. With certificates, TLS follows."""
        self.socket: Socket = sock
        """What to go on with; once complete, what HTTP is spoken on."""
        self.received = b""
        """Octets that belong to what comes next."""
        self.client: tuple[str, str] | None = None
        """Address and port, where a PROXY header names them."""
        self._plain = sock
        self._certificates = certificates
        self._proxied = proxied

    @property
    def wants_room(self) -> bool:
        """It waits for room in the socket rather than for octets from it."""
        return isinstance(self.socket, TLSSocket) and self.socket.wants_room

    def advance(self) -> bool:
        """Go on as far as what has arrived allows; return whether HTTP comes next.

        Raises `NotTLS`, `ProxyProtocolError`, and `OSError` where the client has gone or TLS fails.
        """
        try:
            return self._advance()
        except BlockingIOError:
            return False

    def _advance(self) -> bool:
        if self._proxied:
            self._receive()
            header = parse(self.received)
            if header is None:
                return False
            self.received = self.received[header.size :]
            self.client = header.source
            self._proxied = False
        if self._certificates is None:
            return True
        if not isinstance(self.socket, TLSSocket):
            context = self._certificates.choose(self.received) if self.received else None
            if context is None:
                self._receive()
                context = self._certificates.choose(self.received)
            if self.received[0] != _HANDSHAKE:
                raise NotTLS
            if context is None:
                return False
            self.socket = TLSSocket(self._plain, context, self.received)
            self.received = b""
        return self.socket.handshake()

    def _receive(self) -> None:
        octets = self._plain.recv(_RECEIVE)
        if not octets:
            raise ConnectionResetError("the client has left before it said anything")
        self.received += octets

"""Clients that speak TLS: Python's ssl on a socket, and one that has each record in its hands.

All insist on close_notify (RFC 8446 §6.1): an end without one is an error to them.
"""

import socket
import ssl
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.tls.certificates import Authority, Certificate
from tests.wire import PATIENCE, closed_in_children, connect, read_all
from wsgiraw import Server

__all__ = ["BROKEN_OFF", "Records", "Trust", "hello_of_client"]

BROKEN_OFF = (ConnectionResetError, BrokenPipeError, ssl.SSLError)
"""How a connection ends that does not end in order."""


class Trust:
    """Who trusts an authority, and connects to servers that it has certified."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority

    def context(
        self,
        version: str | None = None,
        *,
        certificate: Certificate | None = None,
        protocols: tuple[str, ...] = (),
        keylog: Path | None = None,
    ) -> ssl.SSLContext:
        """Return a context for one version of TLS, or any; with a client's certificate; with ALPN (RFC 7301)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.authority.certfile)
        if version is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of what is too old
                number = ssl.TLSVersion[version.replace(".", "_")]
                if number < ssl.TLSVersion.TLSv1_2:
                    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # so that it is not the client that refuses
                context.maximum_version = context.minimum_version = number
        if certificate is not None:
            context.load_cert_chain(certificate.both)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        if keylog is not None:
            context.keylog_filename = str(keylog)
        return context

    def connect(
        self,
        server: Server | int,
        context: ssl.SSLContext | None = None,
        *,
        name: str = "localhost",
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        """Return a connection to a server or a port on IPv4 loopback, after the handshake."""
        client = (context or self.context()).wrap_socket(
            socket.socket(), server_hostname=name, suppress_ragged_eofs=False, session=session
        )
        closed_in_children(client)  # before the server can fork because of it
        client.settimeout(PATIENCE)
        try:
            client.connect(("127.0.0.1", server if isinstance(server, int) else server.port))
        except BaseException:
            client.close()
            raise
        return client

    def exchange(self, server: Server | int, octets: bytes, context: ssl.SSLContext | None = None) -> bytes:
        """Send octets on a new connection; return all that comes back until the server closes in order."""
        with self.connect(server, context) as client:
            client.sendall(octets)
            return read_all(client)

    def serial(self, server: Server | int, name: str = "localhost", context: ssl.SSLContext | None = None) -> str:
        """Return the number of the certificate that a server shows."""
        with self.connect(server, context, name=name) as client:
            certificate = client.getpeercert()
            assert certificate
            return str(certificate["serialNumber"])


class Records:
    """A client on a plain socket: what it sends and takes of TLS is decided step by step."""

    def __init__(self, server: Server, context: ssl.SSLContext) -> None:
        self.socket = connect(server)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")

    def handshake(self, *, finish: bool = True) -> Self:
        """Do the handshake; unless it is to finish, the last message waits for what is sent next."""
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self.send_records()
                self._take()
            else:
                if finish:
                    self.send_records()
                return self

    def records(self) -> bytes:
        """Return what TLS has to send."""
        return self._outgoing.read()

    def send_records(self) -> None:
        """Send what TLS has to send."""
        self.socket.sendall(self.records())

    def send(self, octets: bytes) -> None:
        """Send octets of the application."""
        self.tls.write(octets)
        self.send_records()

    def close_notify(self, octets: bytes = b"") -> None:
        """Send last octets and say that nothing more will be sent; go on reading (RFC 8446 §6.1)."""
        if octets:
            self.tls.write(octets)
        with suppress(ssl.SSLWantReadError):  # it would wait for the server's
            self.tls.unwrap()
        self.send_records()

    def close_notify_and(self, octets: bytes) -> None:
        """Send what has been written, the last word, and octets that are not even TLS behind it, in one segment."""
        with suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.socket.sendall(self.records() + octets)

    def readline(self) -> bytes:
        """Return a line, such as a reader of replies asks for."""
        line = b""
        while not line.endswith(b"\n"):
            line += self.read(1)
        return line

    def read(self, size: int) -> bytes:
        """Return so many octets."""
        octets = b""
        while len(octets) < size:
            try:
                octets += self.tls.read(size - len(octets))
            except ssl.SSLWantReadError:
                self._take()
        return octets

    def read_all(self) -> bytes:
        """Return what comes until the server's close_notify. Raises `SSLEOFError` where the connection ends without."""
        received = bytearray()
        while True:
            try:
                octets = self.tls.read(65536)
            except ssl.SSLWantReadError:
                self._take()
            except ssl.SSLZeroReturnError:
                return bytes(received)
            else:
                if not octets:
                    return bytes(received)
                received += octets

    def _take(self) -> None:
        octets = self.socket.recv(65536)
        if octets:
            self._incoming.write(octets)
        else:
            self._incoming.write_eof()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def hello_of_client(context: ssl.SSLContext) -> bytes:
    """Return the first octets of a client: its ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake without a server")

"""Sockets: where to listen, how to accept, how to leave. Knows nothing of HTTP and never blocks after `listen`.

listening       an address to listening sockets
listener        a listening socket, accepting
newcomers       closing a queue without a reset for anybody
opening         what comes on a connection before HTTP
proxy_protocol  a PROXY header to whose connection it is
tls             certificates and contexts
client_hello    which name a client asks for
certificate     which names a certificate is for
tls_socket      a socket that speaks TLS
parting         ways to part with a client
"""

from wsgiraw.net.listener import Listener, OutOfDescriptors
from wsgiraw.net.listening import adopt, listen
from wsgiraw.net.opening import NotTLS, Opening
from wsgiraw.net.parting import abort, cut, end, leave
from wsgiraw.net.proxy_protocol import ProxyProtocolError
from wsgiraw.net.tls import Certificates, TLSSettings
from wsgiraw.net.tls_socket import Socket, TLSSocket

__all__ = [
    "Certificates",
    "Listener",
    "NotTLS",
    "Opening",
    "OutOfDescriptors",
    "ProxyProtocolError",
    "Socket",
    "TLSSettings",
    "TLSSocket",
    "abort",
    "adopt",
    "cut",
    "end",
    "leave",
    "listen",
]

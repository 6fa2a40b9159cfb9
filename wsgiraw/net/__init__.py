"""Sockets: where to listen, how to accept, how to leave. Knows nothing of HTTP and never blocks after `listen`.

listening   an address to listening sockets
listener    a listening socket, accepting
newcomers   closing a queue without a reset for anybody
parting     ways to part with a client
proxy_protocol   what a proxy says of its client before anything else
"""

from wsgiraw.net.listener import Listener, OutOfDescriptors
from wsgiraw.net.listening import adopt, listen
from wsgiraw.net.parting import abort, cut, end

__all__ = ["Listener", "OutOfDescriptors", "abort", "adopt", "cut", "end", "listen"]

"""HTTP/1.1 on octets (RFC 9110, RFC 9112), for an origin server.

Knows nothing of sockets, selectors, threads, clocks, loggers or files: octets go in, `Request` objects and octets come
out, and what a client did wrong is raised as `HTTPError`. A strategy does the waiting and the sending.
"""

from wsgiraw.http11.body import Spool
from wsgiraw.http11.connection import Connection
from wsgiraw.http11.head import split_head
from wsgiraw.http11.limits import Limits
from wsgiraw.http11.memory import BodyMemory
from wsgiraw.http11.request import Request
from wsgiraw.http11.state import State

__all__ = ["BodyMemory", "Connection", "Limits", "Request", "Spool", "State", "split_head"]

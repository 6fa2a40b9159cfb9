"""wsgiraw: a WSGI server from sockets up.

The way of a request, as calls:

    strategies.loop.EventLoop.run           waits until a socket is readable
      ._receive                             recv: octets
        http11.Connection.receive           keeps them
        http11.Connection.next_request      split_head → Request: syntax, then meaning; the body to its end
      strategies.handoff.Handoff.answer     right here, or on a thread
        strategies.exchange.advance         requests to responses, as far as that goes without waiting
          wsgi.Gateway.respond              Request → environ, and the application is called
            application(environ, start_response)
            StartResponse.framed            status, fields and pieces → octets
          Channel.send                      send: octets, as the client takes them
      .settle                               waits for what comes next: input, or room for output

`serve(app)` serves until interrupted, `Server(app)` is a server as a value, `make_server` is wsgiref's.
"""

from wsgiraw.config import Config
from wsgiraw.errors import ConfigError
from wsgiraw.launch import serve
from wsgiraw.server import Server
from wsgiraw.simple_server import make_server
from wsgiraw.version import __version__
from wsgiraw.wsgi import Mount, Static

__all__ = ["Config", "ConfigError", "Mount", "Server", "Static", "__version__", "make_server", "serve"]

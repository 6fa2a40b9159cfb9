"""wsgiraw: a WSGI server from sockets up."""

__version__ = "0.1.0"

"""PEP 3333: calls the application and turns its answer into octets. Knows nothing of sockets, threads and signals."""

from wsgiraw.wsgi.client_certificate import tls_environ
from wsgiraw.wsgi.file_wrapper import FileSegment, FileWrapper
from wsgiraw.wsgi.forwarded import Forwarding
from wsgiraw.wsgi.gateway import Gateway, Octets
from wsgiraw.wsgi.health import Health
from wsgiraw.wsgi.mount import Mount
from wsgiraw.wsgi.redirect import REDIRECT, Redirect
from wsgiraw.wsgi.spool_file import open_spool_file
from wsgiraw.wsgi.static import Static, beside

__all__ = [
    "REDIRECT",
    "FileSegment",
    "FileWrapper",
    "Forwarding",
    "Gateway",
    "Health",
    "Mount",
    "Octets",
    "Redirect",
    "Static",
    "beside",
    "open_spool_file",
    "tls_environ",
]

"""Static files: a folder as a WSGI application (RFC 9110 as far as GET and HEAD of files go), under any server.

`folder` is where a path may lead; `conditions`, `ranges` and `codings` are what a request may ask for, each a function
of values alone; `representation` answers with an opened file, `application` finds it, `beside` puts folders beside
applications. It writes nothing and keeps nothing: a file that changes is served as it is.
"""

from wsgiraw.wsgi.static.application import Static
from wsgiraw.wsgi.static.beside import beside

__all__ = ["Static", "beside"]

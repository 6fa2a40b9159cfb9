"""Serve any WSGI application: Flask, Django, Pyramid or a function, all by one interface (PEP 3333).

`environ` goes in, `start_response` is called, an iterable comes out. One client, one request, at a time. The path is
without its query, and header fields reach the application, other than in the tutorials. It checks nothing.
"""

import io
import socket
import sys
import traceback
import urllib.parse
from collections.abc import Callable
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from wsgiraw.demos.hello import part
from wsgiraw.demos.inspect import Request, read_request
from wsgiraw.flags import FlagParser
from wsgiraw.importer import import_application, set_import_path

__all__ = ["ARGUMENTS", "PORT", "TRY", "add_arguments", "serve"]

PORT = 8888
TRY = "curl http://{address}/add/2/3"
ARGUMENTS = "module:callable "

FAULT = b"HTTP/1.0 500 Internal Server Error\r\nContent-Type: text/plain\r\n\r\nThe application failed.\n"


def add_arguments(parser: FlagParser) -> None:
    """What to serve."""
    parser.add_argument("application", metavar="module:callable", help="Such as apps.native_calc:app.")


def serve(listener: socket.socket, application: str) -> None:
    """Import the application and answer one client after the other."""
    set_import_path()  # the directory that we were started in
    app = import_application(application)
    while True:
        client, (peer, *_) = listener.accept()
        with client:
            try:
                request = read_request(client)
                respond(client, app, request, environ_of(request, listener, peer))
                part(client)
            except OSError as error:
                print(f"lost {peer}: {error.strerror}")
            else:
                print(f"{request.method} {request.target}")


def environ_of(request: Request, listener: socket.socket, peer: str) -> WSGIEnvironment:
    """Return the request as PEP 3333 has it: CGI's variables, and a few of its own."""
    path, _, query = request.target.partition("?")
    host, port, *_ = listener.getsockname()
    environ: WSGIEnvironment = {"wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr}
    environ |= {"wsgi.input": io.BytesIO(request.body), "wsgi.multithread": False, "wsgi.multiprocess": False}
    environ |= {"wsgi.run_once": False, "SCRIPT_NAME": "", "REQUEST_METHOD": request.method, "QUERY_STRING": query}
    environ |= {"SERVER_NAME": host, "SERVER_PORT": str(port), "SERVER_PROTOCOL": request.version, "REMOTE_ADDR": peer}
    environ["PATH_INFO"] = urllib.parse.unquote(path, "latin-1")  # octets, one character each
    for name, value in request.fields:
        variable = name.upper().replace("-", "_")
        if variable not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            variable = f"HTTP_{variable}"
        environ[variable] = f"{environ[variable]},{value}" if variable in environ else value
    return environ


def respond(client: socket.socket, app: WSGIApplication, request: Request, environ: WSGIEnvironment) -> None:
    """Call the application, and send what it gives as it comes."""
    head: list[bytes] = []  # until the first octet of the body is there, when it is sent

    def start_response(status: str, fields: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        if exc_info and head == [b""]:
            raise exc_info[1]  # the client has the head that was to be replaced
        lines = [f"HTTP/1.0 {status}", *(f"{name}: {value}" for name, value in fields), "", ""]
        head[:] = ["\r\n".join(lines).encode("latin-1")]
        return send

    def send(piece: bytes, *, last: bool = False) -> None:
        if piece or last:
            client.sendall(head[0] + (b"" if request.method == "HEAD" else piece))
            head[0] = b""

    pieces: Any = ()
    try:
        pieces = app(environ, start_response)
        for piece in pieces:
            send(piece)
        send(b"", last=True)
    except OSError:
        raise
    except Exception:
        traceback.print_exc()
        if head != [b""]:
            client.sendall(FAULT)
    finally:
        if hasattr(pieces, "close"):
            pieces.close()

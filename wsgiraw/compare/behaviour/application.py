"""The application that servers run while their behaviour is looked at: plain WSGI, a path for each thing to provoke.

The user's own cannot take its place: hardly any echoes a body, breaks its promises or can be held at will. What is
looked at here belongs to the server, whichever application it has. It is not for the internet.
"""

import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["HELD_AT_MOST", "INJECTED", "application"]

HELD_AT_MOST = 3.0
"""Seconds after which a held request is answered although nobody has released it."""

INJECTED = "X-Injected: yes"
"""The field line that must not become one."""

_SPLIT = {
    "field": ("200 OK", f"a\r\n{INJECTED}"),
    "line-feed": ("200 OK", f"a\n{INJECTED}"),
    "status": (f"200 OK\r\n{INJECTED}", "a"),
}


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Do what the path names; any other path is the answer's body."""
    return _PATHS.get(environ["PATH_INFO"], _path)(environ, start_response)


def _answer(start_response: "StartResponse", body: bytes, *fields: tuple[str, str]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), *fields])
    return [body]


def _path(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    return _answer(start_response, environ["PATH_INFO"].encode("latin-1"))


def _body(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Send back the request's body, with what the server has said of where it ends."""
    length = environ.get("CONTENT_LENGTH", "")
    if not length:
        body = environ["wsgi.input"].read()
    elif length.isdecimal():
        body = environ["wsgi.input"].read(int(length))
    else:
        body = b""  # two lengths, passed on as they are
    known = "yes" if length or environ.get("wsgi.input_terminated") else "no"
    return _answer(start_response, body, ("X-Content-Length", length), ("X-End-Known", known))


def _split(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Put a line end, and what looks like a field, into a field's value or the status."""
    status, value = _SPLIT[environ["QUERY_STRING"]]
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", "2"), ("X-Value", value)])
    return [b"ok"]


def _short(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Promise more than is sent."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "1000")])
    return [b"short"]


def _hold(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Tell the bell on loopback that the call has begun, and wait until that lets it go on."""
    asked = parse_qs(environ["QUERY_STRING"])
    name = asked["name"][0].encode("ascii")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.settimeout(HELD_AT_MOST)
        channel.connect(("127.0.0.1", int(asked["bell"][0])))
        try:
            channel.send(name)
            channel.recv(16)
        except OSError:  # whoever held it has gone, or forgotten it
            pass
    return _answer(start_response, b"held " + name)


_PATHS: "dict[str, Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]]" = {
    "/body": _body,
    "/split": _split,
    "/short": _short,
    "/hold": _hold,
}

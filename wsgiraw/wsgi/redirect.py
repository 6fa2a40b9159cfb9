"""Sending clients that ask without TLS to https. Nobody else is sent anywhere, and all to the host they ask for."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["REDIRECT", "Redirect"]

REDIRECT = "wsgiraw.redirect"
"""The variable of connections from which requests are sent to https: the port that TLS is spoken on, as text."""


class Redirect:
    """An application that answers 308 with the same URL under https where the environ has `REDIRECT`."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer, or ask the application (PEP 3333): also where a trusted proxy says that the client has TLS."""
        port = environ.get(REDIRECT)
        if port is None or environ["wsgi.url_scheme"] == "https":
            return self._application(environ, start_response)
        text = ("Content-Type", "text/plain; charset=utf-8")
        host = environ.get("HTTP_HOST")
        if host is None:  # RFC 9112 §3.2 allows that in HTTP/1.0
            body = b"only https is served here, and there is no Host field to say where: add 'Host: name'\n"
            start_response("400 Bad Request", [text])
        else:
            body = b"only https is served here\n"
            location = f"https://{_name(host)}{'' if port == '443' else ':' + port}{_path(environ)}"
            # Not 301 or 302, after which a client may ask with GET what it has asked with POST (RFC 9110 §15.4.9).
            start_response("308 Permanent Redirect", [("Location", location), text])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def _name(host: str) -> str:
    """Return the host of a Host field, which has been found well-formed, without its port."""
    name, colon, port = host.rpartition(":")
    return host if not colon or port.endswith("]") else name


def _path(environ: "WSGIEnvironment") -> str:
    """Return path and query as they were sent, behind the prefix that a proxy has taken away."""
    target: str = environ["RAW_URI"]
    if target == "*":
        return ""  # RFC 9112 §3.2.4: the URI of `OPTIONS *` has no path
    if not target.startswith("/"):
        _, _, target = target.partition("://")  # RFC 9112 §3.2.2; its authority is in Host
        authority = target.partition("/")[0].partition("?")[0]
        target = target.removeprefix(authority)
    return quote(environ["SCRIPT_NAME"], "/", "latin-1") + target

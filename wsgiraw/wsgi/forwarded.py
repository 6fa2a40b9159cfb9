"""Requests behind proxies: whom to believe about the client, and what of the environ follows.

Proxies are trusted by the address that the connection comes from, never by anything that a request says. Forwarded
fields that are not believed are taken away, so that the application cannot believe them by mistake.
"""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from wsgiraw.errors import HTTPError
from wsgiraw.http11.forwarded import forwarded_element, forwarded_parameters, listed_element, node
from wsgiraw.http11.request import is_host
from wsgiraw.trust import TrustedPeers

__all__ = ["FORWARDED", "Forwarding"]

_LISTED = {
    "HTTP_X_FORWARDED_FOR": "for",
    "HTTP_X_FORWARDED_PROTO": "proto",
    "HTTP_X_FORWARDED_HOST": "host",
    "HTTP_X_FORWARDED_PORT": "port",
    "HTTP_X_FORWARDED_PREFIX": "prefix",
}
"""CGI meta-variable → what it says, in the words of RFC 7239 where it has one."""

FORWARDED = frozenset({"HTTP_FORWARDED", *_LISTED})
"""All CGI meta-variables in which proxies speak of their clients."""

_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
"""What proxies call a scheme → ours. Some name that of a WebSocket, which is an HTTP request until it is upgraded."""

_DEFAULT_PORTS = {"http": "80", "https": "443"}  # RFC 9110 §4.2.1, §4.2.2

_PATH = re.compile(r"(?:/(?!/)(?:[A-Za-z0-9\-._~!$&'()*+;=:@/\x80-\xff]|%[0-9A-Fa-f]{2})*)?")
"""A path from the root, or nothing. Beginning with two slashes it would be a host, in links that are built from it."""


class Forwarding:
    """Which proxies are trusted, and what is believed of what they say."""

    def __init__(self, trusted: TrustedPeers | None = None, fields: Iterable[str] = (), hops: int = 1) -> None:
        """`fields` are names such as `x-forwarded-for`; what the last `hops` proxies have added to each is believed.

        Without arguments nobody is trusted.
        """
        self._trusted = trusted or TrustedPeers()
        self._hops = hops
        self._disbelieved = FORWARDED - {"HTTP_" + name.upper().replace("-", "_") for name in fields}

    def connection_environ(self, environ: dict[str, Any], fields: dict[str, str]) -> dict[str, Any]:
        """Return a connection's variables as they are for the client of a request, whose `fields` are set right, too.

        `environ` is left as it is. Raises `HTTPError` 400 where a trusted proxy says what cannot be.
        """
        trusted = environ["REMOTE_ADDR"] in self._trusted
        for name in self._disbelieved if trusted else FORWARDED:
            fields.pop(name, None)
        said = self._said(fields)
        return _believed(environ, fields, said) if said else environ

    def _said(self, fields: dict[str, str]) -> dict[str, str]:
        """Return what is believed. Forwarded comes before all others but the prefix, for which it has no word."""
        listed = {_LISTED[name]: listed_element(fields[name], self._hops) for name in _LISTED if name in fields}
        if "HTTP_FORWARDED" not in fields:
            return listed
        said = forwarded_parameters(forwarded_element(fields["HTTP_FORWARDED"], self._hops))
        return {name: said[name] for name in ("for", "proto", "host") if name in said} | (
            {"prefix": listed["prefix"]} if "prefix" in listed else {}
        )


def _believed(environ: dict[str, Any], fields: dict[str, str], said: dict[str, str]) -> dict[str, Any]:
    """Return the variables that follow from what a trusted proxy has said, and set Host in `fields`."""
    environ = environ.copy()
    if "for" in said:
        field = "Forwarded" if "HTTP_FORWARDED" in fields else "X-Forwarded-For"
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = node(said["for"], field)
    if "prefix" in said:
        environ["SCRIPT_NAME"] = _script_name(said["prefix"])
    if "proto" in said:
        scheme = _SCHEMES.get(said["proto"].lower())
        if scheme is None:
            raise _bad("the scheme that a proxy has forwarded is neither http nor https")
        environ["wsgi.url_scheme"] = scheme
        if scheme == "https":
            environ["HTTPS"] = "on"
        else:
            environ.pop("HTTPS", None)
    if "host" in said:
        if not is_host(said["host"]):
            raise _bad("the host that a proxy has forwarded is empty or malformed")
        fields["HTTP_HOST"] = said["host"]
    if not said.keys().isdisjoint(("proto", "host", "port")):
        _set_server(environ, fields, said)
    return environ


def _set_server(environ: dict[str, Any], fields: dict[str, str], said: dict[str, str]) -> None:
    """Set SERVER_PORT to the client's idea of it: as forwarded, or as in Host, or what belongs to the scheme."""
    host = fields.get("HTTP_HOST", "")
    name, colon, port = host.rpartition(":")
    if not colon or port.endswith("]"):
        name, port = host, ""
    default = _DEFAULT_PORTS[environ["wsgi.url_scheme"]]
    if "port" in said:
        port = said["port"]
        if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
            raise _bad("X-Forwarded-Port is not a port")
        if host:  # links are built from it alone (PEP 3333 "URL Reconstruction")
            fields["HTTP_HOST"] = name if port == default else f"{name}:{port}"
    environ["SERVER_PORT"] = port or default
    if "host" in said:
        environ["SERVER_NAME"] = name


def _script_name(prefix: str) -> str:
    """Return a prefix as SCRIPT_NAME: decoded, without a slash at its end (RFC 3875 §4.1.13)."""
    name = unquote(prefix, "latin-1").rstrip("/")
    if not _PATH.fullmatch(prefix) or name.startswith("//"):  # the second slash may be encoded
        raise _bad("X-Forwarded-Prefix is not a path such as /app")
    return name


def _bad(detail: str) -> HTTPError:
    return HTTPError(HTTPStatus.BAD_REQUEST, detail)

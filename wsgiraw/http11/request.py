"""What a request head means: target, framing, persistence, expectation (RFC 9110, RFC 9112). No octets, no body."""

from functools import lru_cache
from http import HTTPStatus
from ipaddress import IPv6Address
from typing import BinaryIO

from wsgiraw.errors import HTTPError
from wsgiraw.http11.grammar import AUTHORITY, HOST, TOKEN, VERSION
from wsgiraw.http11.head import Fields

__all__ = ["Request", "is_host"]

_CONTENT_LENGTH_DIGITS = 19
"""More digits than any body has octets: 10**19 is beyond 64 bits."""


class Request:
    """One request, head and complete body, as the gateway gets it.

    `target` is as sent; `path` and `query` are its parts, still percent-encoded. `fields` are CGI meta-variables.
    """

    __slots__ = (
        "answered",
        "body",
        "chunked",
        "content_length",
        "expects_continue",
        "fields",
        "keep_alive",
        "method",
        "path",
        "query",
        "target",
        "version",
    )

    def __init__(self, method: str, target: str, version: str, fields: Fields, *, strict_host: bool = True) -> None:
        """Judge a head. Raises `HTTPError` 400, 413, 417, 501 or 505.

        Unless `strict_host`, Host may be missing in HTTP/1.1 as in HTTP/1.0.
        """
        self.method = method
        self.target = target
        self.version = version
        self.fields = fields
        self.body: BinaryIO | None = None
        """The complete body, to be read from its beginning; None where the request has none."""
        self.content_length = 0
        """Octets of body that the head announces; 0 for a chunked one."""
        self.chunked = False
        self.expects_continue = False
        self.answered = False
        """The octets last yielded by the gateway end the response: nothing but cleaning up is left to do."""
        if method not in _METHODS and (method == "CONNECT" or not TOKEN.fullmatch(method)):
            raise _refused_method(method, target)
        if version != "HTTP/1.1" and version != "HTTP/1.0":
            self.version = version = _served_version(version)
        host = fields.get("HTTP_HOST")
        if host is None:
            if version == "HTTP/1.1" and strict_host:  # RFC 9112 §3.2
                raise _bad("no Host field: HTTP/1.1 requires one, add 'Host: name'")
        elif not is_host(host):
            raise _bad("empty or malformed Host field: send 'Host: name' or 'Host: name:port'")
        if not (target.isascii() and target.isprintable()) or "#" in target:  # RFC 3986 §2, RFC 9112 §3.2
            raise _bad("request target with a fragment or an octet that is no visible ASCII: percent-encode it")
        if target[:1] == "/":  # RFC 9112 §3.2.1: origin-form
            self.path, _, self.query = target.partition("?")
        else:
            self._read_other_target(target)
        connection = fields.get("HTTP_CONNECTION")
        self.keep_alive = version == "HTTP/1.1"  # RFC 9112 §9.3
        """The connection may serve another request; a response may end that, never begin it."""
        if connection is not None:
            self.keep_alive = _persists(connection, self.keep_alive)
        if "HTTP_TRANSFER_ENCODING" in fields:
            self._read_transfer_encoding()
        elif "CONTENT_LENGTH" in fields:
            self.content_length = _content_length(fields["CONTENT_LENGTH"])
        if "HTTP_EXPECT" in fields:
            self._read_expectation(fields["HTTP_EXPECT"])

    @property
    def has_body(self) -> bool:
        """Whether octets of a body follow the head."""
        return self.chunked or self.content_length > 0

    def _read_other_target(self, target: str) -> None:
        """Take a target in asterisk-form, whose path is the root as for the whole server, or in absolute-form."""
        if target == "*":
            if self.method != "OPTIONS":  # RFC 9112 §3.2.4
                raise _bad("request target * goes with OPTIONS only")
            self.path, self.query = "/", ""
            return
        scheme, separator, rest = target.partition("://")
        if not separator or scheme.lower() not in ("http", "https"):
            raise _bad("request target is neither a path that begins with / nor an http URI")
        hierarchy, _, self.query = rest.partition("?")
        authority, slash, path = hierarchy.partition("/")
        if not is_host(authority):
            raise _bad("request target with an empty or malformed authority")  # RFC 9110 §4.2.1, §4.2.4
        self.fields["HTTP_HOST"] = authority  # RFC 9112 §3.2.2: the target overrides Host
        self.path = slash + path or "/"

    def _read_transfer_encoding(self) -> None:
        if "CONTENT_LENGTH" in self.fields:  # RFC 9112 §6.1: request smuggling
            raise _bad("both Content-Length and Transfer-Encoding")
        if self.version != "HTTP/1.1":  # RFC 9112 §6.1
            raise _bad("Transfer-Encoding in an HTTP/1.0 request")
        codings = [coding.strip(" \t").lower() for coding in self.fields["HTTP_TRANSFER_ENCODING"].split(",")]
        if codings[-1] != "chunked" or "chunked" in codings[:-1] or "" in codings:
            # RFC 9112 §6.3: its end could not be told
            raise _bad("Transfer-Encoding does not end with a single chunked")
        if len(codings) > 1:
            raise HTTPError(HTTPStatus.NOT_IMPLEMENTED, "transfer coding other than chunked")  # RFC 9112 §6.1
        self.chunked = True
        del self.fields["HTTP_TRANSFER_ENCODING"]  # RFC 9112 §7.1.3: it is decoded before anybody reads on

    def _read_expectation(self, expectation: str) -> None:
        if expectation.lower() != "100-continue":
            raise HTTPError(HTTPStatus.EXPECTATION_FAILED, "expectation other than 100-continue")  # RFC 9110 §10.1.1
        self.expects_continue = self.version == "HTTP/1.1" and self.has_body


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"})


@lru_cache(maxsize=64)
def is_host(value: str) -> bool:
    """Whether a Host field has this value rightly. Remembered: a server has few names and is asked at each request."""
    if not HOST.fullmatch(value):
        return False
    if value[0] == "[" and value[1] not in "vV":
        try:
            IPv6Address(value[1 : value.index("]")])
        except ValueError:
            return False
    return True


def _persists(connection: str, default: bool) -> bool:
    """Whether a connection with this Connection field persists (RFC 9112 §9.3)."""
    if connection == "keep-alive":
        return True
    options = [option.strip(" \t") for option in connection.lower().split(",")]  # RFC 9110 §7.6.1: a list
    return "close" not in options and (default or "keep-alive" in options)


def _served_version(version: str) -> str:
    """Return the version that this one is served as. Raises `HTTPError` 400 or 505."""
    match = VERSION.fullmatch(version)
    if match is None:
        raise _bad("malformed HTTP version: send HTTP/1.1")  # RFC 9112 §2.3
    if match[1] != "1":
        raise HTTPError(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "this server speaks HTTP/1.1 and HTTP/1.0")
    return "HTTP/1.1"  # RFC 9110 §2.5: a higher minor version is compatible


def _refused_method(method: str, target: str) -> HTTPError:
    if method != "CONNECT":
        return _bad("request method is not a token")  # RFC 9110 §9.1
    if AUTHORITY.fullmatch(target) and is_host(target):
        return HTTPError(HTTPStatus.NOT_IMPLEMENTED, "CONNECT: this is not a proxy")  # RFC 9110 §9.3.6
    return _bad("CONNECT without host:port")  # RFC 9112 §3.2.3


def _content_length(value: str) -> int:
    """Return the body's size. Strictly 1*DIGIT (RFC 9110 §8.6), never a list (RFC 9112 §6.3)."""
    if not (value.isascii() and value.isdigit()):
        raise _bad("malformed Content-Length")
    if len(value) > _CONTENT_LENGTH_DIGITS:
        raise HTTPError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Content-Length has too many digits")
    return int(value)


def _bad(detail: str) -> HTTPError:
    return HTTPError(HTTPStatus.BAD_REQUEST, detail)

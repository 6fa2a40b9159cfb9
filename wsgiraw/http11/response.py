"""Responses as octets: the head, how the body is framed (RFC 9112 §6), and what a server may not pass on."""

from collections.abc import Sequence

from wsgiraw.errors import ApplicationError, HTTPError
from wsgiraw.http11.grammar import LINE_OCTETS, TOKEN
from wsgiraw.http11.request import Request

__all__ = ["CONTINUE", "LAST_CHUNK", "chunk", "error_reply", "response_head"]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"

_HOP_BY_HOP = frozenset(
    {
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "upgrade",
    }
)
"""Fields that belong to the connection, which is ours (RFC 9110 §7.6.1, PEP 3333 "Other HTTP Features")."""

_NAMES_REMEMBERED = 1024

_status_lines: dict[str, str] = {}
"""Status as the application writes it → status line."""

_roles: dict[str, str] = {}
"""Field name as the application writes it → "" or, where the server minds it, the name in lower case."""


def response_head(
    request: Request, status: str, fields: Sequence[tuple[str, str]], length: int | None, date: str, server: str
) -> tuple[bytes, int | None, bool, tuple[str, ...]]:
    """Render the head of the response to `request` and settle whether the connection survives it.

    Return (octets, size, chunked, dropped): the head, the octets of body to be sent (0 where the response has none,
    None where its end is told otherwise), whether it is in chunks, and the hop-by-hop fields left out, in lower case.
    `length` is the size of the body where the whole of it is known. `date` and `server` are field lines with CRLF, used
    where the application has none of its own. Raises `ApplicationError` for what cannot go on the wire.
    """
    code = status[:3]
    lines = [_status_lines.get(status) or _status_line(status)]
    declared: int | None = None
    dropped: tuple[str, ...] = ()
    roles = _roles
    for name, value in fields:
        if type(value) is not str:
            value = _text(name, value)
        role = roles.get(name)
        if role is None:
            role = _role(name)
        if role:
            if role == "content-length":
                if declared is not None and value != str(declared):
                    raise ApplicationError("two different Content-Length fields")
                if declared is not None:
                    continue
                if not (value.isascii() and value.isdigit()):
                    raise ApplicationError(f"Content-Length is {value!r}: it must be a number of octets")
                declared = int(value)
                if code[0] == "1" or code == "204":  # RFC 9110 §8.6
                    continue
            elif role == "date":
                date = ""
            elif role == "server":
                server = ""
            elif role == "connection" and "close" in [option.strip() for option in value.lower().split(",")]:
                request.keep_alive = False
                continue
            else:
                dropped += (role,)
                continue
        lines.append(f"{name}: {value}\r\n")
    bodiless = request.method == "HEAD" or code == "304" or code == "204" or code[0] == "1"  # RFC 9110 §6.4.1
    chunked = False
    if code[0] == "1":
        request.keep_alive = False  # what follows a final 1xx is not HTTP/1.1 of ours
    elif declared is None and code != "204":
        if length is not None and code != "304" and (length or request.method != "HEAD"):
            lines.append(f"Content-Length: {length}\r\n")
        elif not bodiless:
            if request.version == "HTTP/1.1":
                chunked = True
                lines.append("Transfer-Encoding: chunked\r\n")  # RFC 9112 §7.1
            else:
                request.keep_alive = False  # RFC 9112 §6.3: the end of the connection ends the body
    else:
        length = declared
    if date:
        lines.append(date)
    if server:
        lines.append(server)
    if not request.keep_alive:
        lines.append("Connection: close\r\n")  # RFC 9112 §9.6
    elif request.version == "HTTP/1.0":
        lines.append("Connection: keep-alive\r\n")
    lines.append("\r\n")
    try:
        octets = "".join(lines).encode("latin-1")
    except UnicodeEncodeError as error:
        raise ApplicationError("a character outside latin-1 in the status or a field") from error
    if octets.translate(None, LINE_OCTETS) != b"\r\n" * len(lines):  # response splitting
        raise ApplicationError("a line end or control character in the status or a field")
    return octets, 0 if bodiless else length, chunked, dropped


def _text(name: str, value: object) -> str:
    """Return a value of another type as text: that of a class derived from str."""
    if not isinstance(value, str):
        raise ApplicationError(f"the value of {name} is {type(value).__name__}, not str")
    return str.__str__(value)


def _status_line(status: str) -> str:
    """Return the status line (RFC 9112 §4) of a status met for the first time."""
    code = status[:3]
    if not (len(code) == 3 and code.isascii() and code.isdigit() and status[3:4] in ("", " ")):
        raise ApplicationError(f"the status is {status!r}: it must be like '200 OK'")
    line = "HTTP/1.1 " + status + ("\r\n" if len(status) > 3 else " \r\n")
    if len(_status_lines) < _NAMES_REMEMBERED:
        _status_lines[status] = line
    return line


def _role(name: str) -> str:
    """Return what the server has to do with a field name met for the first time."""
    if not TOKEN.fullmatch(name):
        raise ApplicationError(f"{name!r} is no field name")
    role = name.lower()
    if role not in ("content-length", "date", "server", "connection") and role not in _HOP_BY_HOP:
        role = ""
    if len(_roles) < _NAMES_REMEMBERED:
        _roles[name] = role
    return role


def chunk(octets: bytes) -> bytes:
    """Return a piece of body as one chunk (RFC 9112 §7.1). Empty, it would end the body."""
    return b"%x\r\n%b\r\n" % (len(octets), octets)


def error_reply(error: HTTPError, date: str, server: str) -> bytes:
    """Return the whole reply that refuses a request: one line of plain text, then the connection is closed."""
    body = f"{error.detail}\n"
    retry = "" if error.retry_after is None else f"Retry-After: {error.retry_after}\r\n"
    return (
        f"HTTP/1.1 {error.status.value} {error.status.phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n{retry}{date}{server}Connection: close\r\n\r\n{'' if error.to_head else body}"
    ).encode("latin-1")

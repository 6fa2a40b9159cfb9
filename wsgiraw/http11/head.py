"""One complete request head into its parts: syntax only (RFC 9112 §3, §5), a pure function.

What the parts mean (framing, Host, persistence, expectations) is `request.py`'s business.
"""

from http import HTTPStatus

from wsgiraw.errors import HTTPError
from wsgiraw.http11.grammar import LINE_OCTETS, TOKEN

__all__ = ["field_error", "split_head"]

Fields = dict[str, str]

_NAMES_REMEMBERED = 1024

_cgi_names: dict[str, str] = {}
"""Field name as sent → CGI meta-variable (RFC 3875 §4.1.18), "" for a field that is dropped. Bounded, so that no client
can fill it."""

_LINES_REMEMBERED, _LINE_REMEMBERED = 1024, 256
"""Lines, and octets of each."""

_lines: dict[str, tuple[str, str]] = {}
"""Field line as sent → CGI meta-variable and value, for `_COMMON` fields. Once it is full it begins anew."""

_COMMON = frozenset(
    {
        "CONTENT_TYPE",
        "HTTP_ACCEPT",
        "HTTP_ACCEPT_CHARSET",
        "HTTP_ACCEPT_ENCODING",
        "HTTP_ACCEPT_LANGUAGE",
        "HTTP_CACHE_CONTROL",
        "HTTP_CONNECTION",
        "HTTP_DNT",
        "HTTP_HOST",
        "HTTP_PRAGMA",
        "HTTP_PRIORITY",
        "HTTP_SEC_CH_UA",
        "HTTP_SEC_CH_UA_MOBILE",
        "HTTP_SEC_CH_UA_PLATFORM",
        "HTTP_SEC_FETCH_DEST",
        "HTTP_SEC_FETCH_MODE",
        "HTTP_SEC_FETCH_SITE",
        "HTTP_SEC_FETCH_USER",
        "HTTP_SEC_GPC",
        "HTTP_UPGRADE_INSECURE_REQUESTS",
        "HTTP_USER_AGENT",
        "HTTP_X_FORWARDED_PROTO",
        "HTTP_X_REQUESTED_WITH",
    }
)
"""Fields that say what a program is and can: the same for many visitors, and nobody's secret (docs/adr/0007)."""

_QUICKLY_LOOKED_AT = 256
"""Octets of a line up to which `str.isprintable` is the quickest look at them."""

_SINGLETONS = frozenset(
    {
        "CONTENT_LENGTH",
        "CONTENT_TYPE",
        "HTTP_AUTHORIZATION",
        "HTTP_DATE",
        "HTTP_FROM",
        "HTTP_HOST",
        "HTTP_IF_MODIFIED_SINCE",
        "HTTP_IF_RANGE",
        "HTTP_IF_UNMODIFIED_SINCE",
        "HTTP_MAX_FORWARDS",
        "HTTP_PROXY_AUTHORIZATION",
        "HTTP_RANGE",
        "HTTP_REFERER",
        "HTTP_USER_AGENT",
    }
)
"""Fields that are not lists: two of them would be read differently by different recipients (RFC 9110 §5.3)."""


def split_head(head: bytes, most_fields: int = 100) -> tuple[str, str, str, Fields]:
    """Return (method, target, version, fields) of a head without the empty line that ends it.

    `fields` maps CGI meta-variables (`HTTP_ACCEPT`, `CONTENT_LENGTH`) to values decoded as latin-1 (PEP 3333). Names
    with an underscore and `Proxy` are dropped. Raises `HTTPError` 400, or 431 for more than `most_fields` field lines.
    """
    lines = head.decode("latin-1").split("\r\n")
    request_line = lines[0]
    del lines[0]
    if not request_line.isprintable():
        _check_octets(request_line)
    try:
        method, target, version = request_line.split(" ")
    except ValueError:
        raise _bad("request line is not METHOD SP TARGET SP VERSION") from None  # RFC 9112 §3
    fields: Fields = {}
    remembered = _lines.get
    for line in lines:
        key, value = remembered(line) or _field(line)
        fields[key] = value
    if len(fields) != len(lines) or "" in fields:
        fields = _combined_fields(lines)
    if len(lines) > most_fields:
        raise HTTPError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too many header fields")
    return method, target, version, fields


def _field(line: str) -> tuple[str, str]:
    """Return the CGI meta-variable, "" where it is dropped, and the value of a field line; remember a common one."""
    if len(line) > _QUICKLY_LOOKED_AT or not line.isprintable():
        _check_octets(line)
    name, colon, value = line.partition(":")
    key = _cgi_names.get(name)
    if key is None or not colon:
        key = _cgi_name(name, line)
    value = value.strip(" \t")  # RFC 9112 §5.1: OWS is not part of the value
    if key in _COMMON and len(line) <= _LINE_REMEMBERED:
        if len(_lines) >= _LINES_REMEMBERED:
            _lines.clear()
        _lines[line] = (key, value)
    return key, value


def _combined_fields(lines: list[str]) -> Fields:
    """Return the fields where a name is repeated or dropped."""
    fields: Fields = {}
    for key, value in map(_field, lines):
        if key in fields:
            fields[key] = _combined(key, fields[key], value)
        elif key:
            fields[key] = value
    return fields


def _check_octets(line: str) -> None:
    """Refuse a line in which there is what no line may have."""
    if rest := line.encode("latin-1").translate(None, LINE_OCTETS):
        if b"\r" in rest or b"\n" in rest:
            raise _bad("bare CR or LF in the request head: lines end with CRLF")  # RFC 9112 §2.2
        raise _bad("control character in the request head")  # RFC 9110 §5.5


def _cgi_name(name: str, line: str) -> str:
    """Return the CGI meta-variable of a field name met for the first time, "" where it is dropped."""
    if (error := field_error(name, line)) is not None:
        raise _bad(error)
    key = name.upper().replace("-", "_")
    if "_" in name or key == "PROXY":  # both would alias another variable: X_Y with X-Y, and HTTP_PROXY (httpoxy)
        key = ""
    elif key not in ("CONTENT_LENGTH", "CONTENT_TYPE"):  # RFC 3875 §4.1.2, §4.1.3
        key = "HTTP_" + key
    if len(_cgi_names) < _NAMES_REMEMBERED:
        _cgi_names[name] = key
    return key


def field_error(name: str, line: str) -> str | None:
    """Return what is wrong with the name of this field line, or None."""
    if TOKEN.fullmatch(name) and ":" in line:
        return None
    if line[:1] in (" ", "\t"):
        return "line folding in the request head"  # RFC 9112 §5.2
    if ":" not in line:
        return "field line without a colon"  # RFC 9112 §5
    if name.endswith((" ", "\t")):
        return "white space between field name and colon"  # RFC 9112 §5.1
    return "empty or illegal field name"  # RFC 9110 §5.1


def _combined(key: str, first: str, second: str) -> str:
    """Return two field lines of one name as one value (RFC 9110 §5.3)."""
    if key in _SINGLETONS:
        raise _bad(f"more than one {key.removeprefix('HTTP_').replace('_', '-').title()} field")
    separator = "; " if key == "HTTP_COOKIE" else ", "  # RFC 6265 §5.4: one cookie-string
    return first + separator + second


def _bad(detail: str) -> HTTPError:
    return HTTPError(HTTPStatus.BAD_REQUEST, detail)

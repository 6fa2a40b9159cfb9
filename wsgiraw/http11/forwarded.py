"""What proxies write of their clients: the lists of Forwarded (RFC 7239) and of X-Forwarded-*, from the right.

Syntax only. Whom to believe, and what follows from it, is decided in wsgi/forwarded.py. What stands to the left of the
element that is asked for may be an attacker's: nobody looks at it.
"""

import re
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address

from wsgiraw.errors import HTTPError
from wsgiraw.http11.grammar import TOKEN

__all__ = ["forwarded_element", "forwarded_parameters", "listed_element", "node"]

_QUOTED = r"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*+"  # RFC 9110 §5.6.4

_PAIR = re.compile(rf'[ \t]*+(?:({TOKEN.pattern})=(?:({TOKEN.pattern})|"({_QUOTED})"))?[ \t]*+;')
"""[ forwarded-pair ] (RFC 7239 §4) and a semicolon, with the white space that many write around it."""

_OBFUSCATED = r"_[A-Za-z0-9._\-]+"  # RFC 7239 §6.3

_NODE = re.compile(
    rf"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)|([uU][nN][kK][nN][oO][wW][nN]|{_OBFUSCATED}))(?::([0-9]{{1,5}}|{_OBFUSCATED}))?"
)
"""node (RFC 7239 §6): an address or a name that stands for one, perhaps with a port."""


def listed_element(value: str, hops: int) -> str:
    """Return the `hops`-th element from the right of a list without quotes; the leftmost where there are fewer."""
    return value.rsplit(",", hops)[-hops:][0].strip(" \t")


def forwarded_element(value: str, hops: int) -> str:
    """Return the `hops`-th element from the right of a Forwarded field; the leftmost where there are fewer.

    Read from the right, because whoever sends the first element may leave a quoted string open, which, read from the
    left, would take in the element of a proxy.
    """
    end = place = len(value)
    quoted = False
    while place:
        place -= 1
        if value[place] == '"' and not (quoted and _escaped(value, place)):
            quoted = not quoted
        elif value[place] == "," and not quoted:
            if hops == 1:
                return value[place + 1 : end]
            hops -= 1
            end = place
    return value[:end]


def _escaped(value: str, place: int) -> bool:
    """Whether there is an odd number of backslashes before a place, of which the last belongs to what is there."""
    start = place
    while start and value[start - 1] == "\\":
        start -= 1
    return (place - start) % 2 == 1


def forwarded_parameters(element: str) -> dict[str, str]:
    """Return an element's parameters, names in lower case (RFC 7239 §4). Raises `HTTPError` 400."""
    found: dict[str, str] = {}
    text = element + ";"
    place = 0
    while place < len(text):
        pair = _PAIR.match(text, place)
        if pair is None:
            raise _bad('malformed Forwarded field: an element is like for=192.0.2.1;proto=https;host="a:8080"')
        place = pair.end()
        if pair[1]:
            name = pair[1].lower()
            if name in found:  # RFC 7239 §4: each occurs once at most
                raise _bad("a parameter occurs twice in an element of Forwarded")
            found[name] = pair[2] if pair[2] is not None else re.sub(r"\\(.)", r"\1", pair[3])
    return found


def node(text: str, field: str) -> tuple[str, str]:
    """Return address and port of a node, "0" for a port that is not known. Raises `HTTPError` 400 in a field's name.

    `unknown` and names that begin with an underscore (RFC 7239 §6.2, §6.3) are returned as addresses: that is what
    there is instead of one. In X-Forwarded-For an address of IPv6 may be without brackets, and then has no port.
    """
    match = _NODE.fullmatch(text)
    try:
        if match is None:
            if field == "Forwarded" or "%" in text:  # for `ipaddress`, any characters are a zone
                raise ValueError
            return _shown(IPv6Address(text)), "0"
        port = match[4] or "0"
        port = "0" if port[0] == "_" else str(int(port))
        if int(port) > 65535:
            raise ValueError
        if match[1]:
            return _shown(IPv6Address(match[1])), port
        if match[2]:
            return str(IPv4Address(match[2])), port
        return match[3] if match[3][0] == "_" else "unknown", port
    except ValueError:
        advice = 'for="[2001:db8::1]:80"' if field == "Forwarded" else "192.0.2.1 or 2001:db8::1"
        raise _bad(f"malformed {field} field: a client is like {advice}") from None


def _shown(address: IPv6Address) -> str:
    """Return an address as that of a peer is shown: one of IPv4 as such (RFC 4291 §2.5.5.2)."""
    return str(address.ipv4_mapped or address)


def _bad(detail: str) -> HTTPError:
    return HTTPError(HTTPStatus.BAD_REQUEST, detail)

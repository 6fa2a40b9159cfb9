"""What a bind address says: `HOST:PORT`, `:PORT`, `*:PORT`, `[IPV6]:PORT`, `unix:PATH`, `fd://N`, `fd://NAME`.

Reads text only: it resolves no name, opens no socket and looks at no file (net.py does).
"""

import ipaddress
import re
from typing import NamedTuple

__all__ = [
    "InheritedAddress",
    "PassedAddress",
    "TCPAddress",
    "UnixAddress",
    "checked_address",
    "checked_host",
    "joined",
    "parse_address",
    "redirecting",
    "redirects",
]

# sun_path holds 108 octets on Linux and 104 on the BSDs and macOS, with a final NUL.
_UNIX_PATH_OCTETS = 103
_REDIRECT = "redirect+http:"
_FORMS = "HOST:PORT, :PORT, [IPV6]:PORT, unix:PATH, fd://N or fd://NAME"


class TCPAddress(NamedTuple):
    """`host` is "" for every IPv4 and IPv6 address of the machine; port 0 lets the kernel pick."""

    host: str
    port: int


class UnixAddress(NamedTuple):
    """A socket in the file system."""

    path: str


class InheritedAddress(NamedTuple):
    """A descriptor that whoever started us has bound already."""

    descriptor: int


class PassedAddress(NamedTuple):
    """Descriptors that systemd has passed under a name."""

    name: str


def parse_address(text: str) -> TCPAddress | UnixAddress | InheritedAddress | PassedAddress:
    """The address that `text` names. Raises ValueError with a sentence that begins with the text."""
    text = text.removeprefix(_REDIRECT)
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path or "\0" in path:
            raise ValueError(f"{text!r} names no file: write unix:PATH, such as unix:/run/wsgiraw.sock")
        if len(path.encode(errors="surrogateescape")) > _UNIX_PATH_OCTETS:
            raise ValueError(f"{text!r} is too long: the path of a unix socket has at most {_UNIX_PATH_OCTETS} octets")
        return UnixAddress(path)
    if text.startswith("fd://"):
        name = text.removeprefix("fd://")
        if re.fullmatch(r"[0-9]{1,9}", name):
            return InheritedAddress(int(name))
        if re.fullmatch(r"[!-9;-~]{1,255}", name) and re.search("[A-Za-z_]", name):
            return PassedAddress(name)
        raise ValueError(
            f"{text!r} is no descriptor: write fd:// and its number or systemd's name of it, such as fd://3"
        )
    if "://" in text:
        raise ValueError(f"{text!r} is a URL: write {_FORMS}")
    host, colon, port = text.rpartition(":")
    if not colon or port.endswith("]"):
        example = f":{text}" if text.isdecimal() else f"{text or '127.0.0.1'}:8000"
        raise ValueError(f"{text!r} is not HOST:PORT: did you mean {example!r}?")
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise ValueError(f"{text!r} has no valid port: give 0 to 65535 after the last colon (0: the kernel picks one)")
    try:
        return TCPAddress(_bare_host(host), int(port))
    except ValueError:
        example = f": did you mean '[{host}]:{port}'?" if ":" in host else f": write {_FORMS}"
        raise ValueError(f"{text!r} has no valid host{example}") from None


def checked_address(text: str) -> str:
    """`text`, once `parse_address` accepts it."""
    if redirects(text):
        raise ValueError(f"{text!r} is for us alone: use redirect_http")
    parse_address(text)
    return text


def checked_host(text: str) -> str:
    """A host without brackets; `*` for every address. Raises ValueError."""
    try:
        return (_bare_host(text) if text.startswith("[") or ":" not in text else _bare_host(f"[{text}]")) or "*"
    except ValueError:
        raise ValueError(
            f"{text!r} is not a host: give a name or an IP address; ports and unix sockets go into bind"
        ) from None


def joined(host: str, port: int) -> str:
    """The address of a host, as `checked_host` returns it, and a port."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def redirecting(address: str) -> str:
    """The same address, where clients are sent to https."""
    return _REDIRECT + address


def redirects(address: str) -> bool:
    """Whether clients are sent to https from there."""
    return address.startswith(_REDIRECT)


def _bare_host(host: str) -> str:
    if host in ("", "*"):
        return ""
    if host.startswith("[") and host.endswith("]"):
        ipaddress.IPv6Address(host[1:-1])
        return host[1:-1]
    if not re.fullmatch(r"[^\s:/@\[\]\0]+", host):
        raise ValueError(host)
    return host

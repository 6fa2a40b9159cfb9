"""What is served, and where it listens."""

import dataclasses
import re

from wsgiraw.addresses import checked_address, checked_host
from wsgiraw.kinds import INTEGER, LIST, OCTAL, SWITCH, TEXT
from wsgiraw.options import filled, option

__all__ = ["ApplicationOptions"]

_APPLICATION, _ADDRESSES = "Application", "Addresses"


def _split_specifications(text: str) -> tuple[str, ...]:
    # Commas belong to a factory's arguments, so several applications stand apart by white space before a mount prefix.
    return tuple(re.split(r"\s+(?=/[^\s=]*=)", text.strip())) if text.strip() else ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationOptions:
    """The application and its addresses."""

    app: tuple[str, ...] = option(
        (),
        "The application, package.module:app, or several at their prefixes: /=site:app /shop=shop:create_app().",
        kind=LIST,
        group=_APPLICATION,
        split=_split_specifications,
        check=filled,
    )
    factory: bool = option(
        False, "Call what app names, without arguments, to get the application.", kind=SWITCH, group=_APPLICATION
    )
    chdir: str = option(
        ".",
        "Change to this directory before the application is imported; it comes first on sys.path.",
        kind=TEXT,
        group=_APPLICATION,
        metavar="DIR",
        check=filled,
    )
    pythonpath: tuple[str, ...] = option(
        (),
        "Directories, separated by commas, to import from after the current one.",
        kind=LIST,
        group=_APPLICATION,
        metavar="DIRS",
        check=filled,
    )
    bind: tuple[str, ...] = option(
        (),
        "Listen here: HOST:PORT, [IPV6]:PORT, :PORT or *:PORT (IPv4 and IPv6), unix:PATH, fd://N, or fd://NAME "
        "for what systemd has passed under a name (LISTEN_FDNAMES). Repeatable. "
        "Takes the place of host and port.",
        kind=LIST,
        group=_ADDRESSES,
        flags=("-b",),
        repeatable=True,
        metavar="ADDRESS",
        check=checked_address,
    )
    host: str = option(
        "127.0.0.1",
        "Host name or IP address to listen on; * is every IPv4 and IPv6 address.",
        kind=TEXT,
        group=_ADDRESSES,
        metavar="HOST",
        check=checked_host,
    )
    port: int = option(
        8000,
        "TCP port to listen on; 0 lets the kernel pick. $PORT, if set, means host 0.0.0.0 and that port.",
        kind=INTEGER,
        group=_ADDRESSES,
        metavar="PORT",
        minimum=0,
        maximum=65535,
    )
    backlog: int = option(
        2048,
        "Connections that the kernel may hold until they are accepted (gunicorn: 2048).",
        kind=INTEGER,
        group=_ADDRESSES,
        minimum=1,
        maximum=65535,
    )
    socket_mode: int = option(
        0o600,
        "Permissions of unix sockets, octal (waitress unix_socket_perms: 600).",
        kind=OCTAL,
        group=_ADDRESSES,
        minimum=0,
        maximum=0o777,
    )

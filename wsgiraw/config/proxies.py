"""Proxies in front of us: who is believed, and what."""

import dataclasses

from wsgiraw.config.tls import TLSOptions
from wsgiraw.kinds import INTEGER, LIST, SWITCH
from wsgiraw.options import option
from wsgiraw.trust import checked_network

__all__ = ["FORWARDED_FIELDS", "ProxyOptions"]

_PROXIES = "Proxies"

FORWARDED_FIELDS = (
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
)


def _field(text: str) -> str:
    if text.lower() not in FORWARDED_FIELDS:
        raise ValueError(f"{text!r} is not one of {', '.join(FORWARDED_FIELDS)}")
    return text.lower()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProxyOptions(TLSOptions):
    """Who may say in whose name a request comes."""

    trusted_proxies: tuple[str, ...] = option(
        (),
        "Addresses and CIDR ranges of proxies, and unix: for whoever comes by a unix socket, separated by commas. What "
        "they say of the client in forwarded_fields is believed; from anybody else those fields are removed (gunicorn "
        "forwarded_allow_ips: 127.0.0.1).",
        kind=LIST,
        group=_PROXIES,
        metavar="ADDRESSES",
        check=checked_network,
    )
    forwarded_fields: tuple[str, ...] = option(
        ("x-forwarded-for", "x-forwarded-proto"),
        "Which fields of trusted proxies are believed: forwarded, or x-forwarded-for, -proto, -host, -port, -prefix; "
        "name only those that your proxy sets or removes itself.",
        kind=LIST,
        group=_PROXIES,
        metavar="FIELDS",
        check=_field,
    )
    trusted_hops: int = option(
        1,
        "How many proxies stand between the client and us: what the last so many have added is believed (waitress "
        "trusted_proxy_count: 1).",
        kind=INTEGER,
        group=_PROXIES,
        minimum=1,
        maximum=32,
    )
    proxy_protocol: bool = option(
        False,
        "Each connection begins with a PROXY header, version 1 or 2, of a trusted proxy; others are closed.",
        kind=SWITCH,
        group=_PROXIES,
    )

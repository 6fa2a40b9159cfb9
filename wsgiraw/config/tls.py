"""TLS: which certificates, which clients."""

import dataclasses

from wsgiraw.config.static import StaticOptions
from wsgiraw.kinds import LIST, NAME, OPTIONAL_PORT, TEXT
from wsgiraw.options import filled, option

__all__ = ["TLSOptions"]

_TLS = "TLS"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TLSOptions(StaticOptions):
    """With a certificate, TLS is spoken on every address."""

    certfile: tuple[str, ...] = option(
        (),
        "PEM file of a certificate and those that vouch for it; every address then speaks TLS. Repeatable: clients get "
        "the one whose names they ask for, or the first.",
        kind=LIST,
        group=_TLS,
        repeatable=True,
        metavar="FILE",
        check=filled,
    )
    keyfile: tuple[str, ...] = option(
        (),
        "PEM file of the private key, one for each certfile in their order; left out, the certfile has it.",
        kind=LIST,
        group=_TLS,
        repeatable=True,
        metavar="FILE",
        check=filled,
    )
    keyfile_password_file: str | None = option(
        None,
        "File whose first line is the password of encrypted keys.",
        kind=NAME,
        group=_TLS,
        metavar="FILE",
    )
    ca_certs: str | None = option(
        None,
        "PEM file of the authorities that client certificates are checked with.",
        kind=NAME,
        group=_TLS,
        metavar="FILE",
    )
    client_certs: str = option(
        "none",
        "Whether clients are asked for a certificate of ca_certs: none, optional, required (gunicorn cert_reqs: 0, 1, "
        "2).",
        kind=TEXT,
        group=_TLS,
        metavar="HOW",
        choices=("none", "optional", "required"),
        aliases={"0": "none", "1": "optional", "2": "required"},
        flags=("--cert-reqs",),
    )
    tls_minimum: str = option(
        "1.2",
        "The oldest version of TLS that is spoken.",
        kind=TEXT,
        group=_TLS,
        metavar="VERSION",
        choices=("1.2", "1.3"),
    )
    ciphers: str | None = option(
        None,
        "Ciphers of TLS 1.2 in OpenSSL's notation; by default those that Python recommends.",
        kind=NAME,
        group=_TLS,
        metavar="LIST",
    )
    redirect_http: int | None = option(
        None,
        "Listen on this port, too, without TLS, and send whoever asks there to https.",
        kind=OPTIONAL_PORT,
        group=_TLS,
        metavar="PORT",
        minimum=0,
        maximum=65535,
    )

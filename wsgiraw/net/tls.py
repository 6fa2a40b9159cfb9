"""TLS contexts: which certificate for which name, and new ones when the files have changed. Speaks to no client.

There is one context for each certificate, so that sessions are resumed; made before a fork, all workers share them.
"""

import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wsgiraw.errors import ConfigError
from wsgiraw.net.certificate import is_certificate, names_of
from wsgiraw.net.client_hello import asked_name
from wsgiraw.observe import log

__all__ = ["Certificates", "TLSSettings"]

_LOOK = 1.0
"""Seconds between two looks at the files, while clients come."""

_VERIFY = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True, slots=True, kw_only=True)
class TLSSettings:
    """What the configuration says of TLS; names of files are absolute."""

    certificates: Sequence[tuple[str, str | None]]
    """Files of certificate and key; None where the first has both. The first pair is for clients that name nobody."""
    password_file: str | None = None
    ca_certs: str | None = None
    client_certs: str = "none"
    """`none`, `optional` or `required`."""
    minimum: str = "1.2"
    ciphers: str | None = None

    @property
    def files(self) -> list[str]:
        """All of them."""
        named = [name for pair in self.certificates for name in pair]
        return [name for name in (*named, self.password_file, self.ca_certs) if name is not None]


class Certificates:
    """The contexts of a server."""

    def __init__(self, settings: TLSSettings) -> None:
        """Load everything. Raises `ConfigError`."""
        self._settings = settings
        self._seen = _signature(settings)
        self._default, self._by_name = self._load()
        self._look_at = 0.0

    def refresh(self, now: float) -> None:
        """Load files that have changed, if it is time to look; `now` in monotonic seconds.

        What is wrong with them is logged, and the former ones stay.
        """
        if now < self._look_at:
            return
        self._look_at = now + _LOOK
        signature = _signature(self._settings)  # before they are read: a change meanwhile is seen the next time
        if signature != self._seen:
            self._seen = signature
            try:
                self._default, self._by_name = self._load()
                log.info("new certificates are in use")
            except ConfigError as error:
                log.error("the former certificates stay in use: %s", error)

    def choose(self, received: bytes) -> ssl.SSLContext | None:
        """Return the context for a connection that begins with these octets, None where more must arrive first."""
        if not self._by_name:
            return self._default
        name = asked_name(received)
        if name is None:
            return None
        wildcard = "*." + name.partition(".")[2]  # RFC 9525 §6.3
        return self._by_name.get(name) or self._by_name.get(wildcard) or self._default

    def _load(self) -> tuple[ssl.SSLContext, dict[str, ssl.SSLContext]]:
        """Return the context of the first certificate, and those for names where there are several certificates."""
        certificates = self._settings.certificates
        contexts = [_context(self._settings, certificate, key) for certificate, key in certificates]
        by_name: dict[str, ssl.SSLContext] = {}
        if len(contexts) > 1:
            for context, (certificate, _) in zip(contexts, certificates, strict=True):
                if not is_certificate(certificate):
                    raise ConfigError(f"certfile {certificate}: its names cannot be read")
                for name in names_of(certificate):
                    by_name.setdefault(name, context)
        return contexts[0], by_name


def _context(settings: TLSSettings, certificate: str, key: str | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[settings.minimum]
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])  # RFC 7301
    if settings.ciphers is not None:
        try:
            context.set_ciphers(settings.ciphers)
        except ssl.SSLError:
            raise ConfigError(f"ciphers {settings.ciphers!r} names none that OpenSSL has") from None
    password = _password(settings.password_file)
    try:
        context.load_cert_chain(certificate, key, lambda: password)
    except (OSError, ValueError) as error:
        raise ConfigError(_fault(certificate, key, error)) from None
    context.verify_mode = _VERIFY[settings.client_certs]
    if settings.ca_certs is not None:
        try:
            context.load_verify_locations(settings.ca_certs)
        except OSError as error:
            why = error.strerror if not isinstance(error, ssl.SSLError) else "it is no PEM file of certificates"
            raise ConfigError(f"ca_certs {settings.ca_certs}: {why}") from None
    return context


def _password(file: str | None) -> str:
    """Return the first line of a file; "" where there is none, which opens no key and asks nobody at the terminal."""
    if file is None:
        return ""
    try:
        return Path(file).read_text().partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"keyfile_password_file {file}: {getattr(error, 'strerror', None) or error}") from None


def _fault(certificate: str, key: str | None, error: Exception) -> str:
    """Return what is wrong with a certificate and its key, as far as OpenSSL tells."""
    if not isinstance(error, ssl.SSLError):
        for option, name in (("certfile", certificate), ("keyfile", key)):
            if name is not None and not os.access(name, os.R_OK):
                return f"{option} {name}: {getattr(error, 'strerror', None) or error}"
        return f"certfile {certificate}: {error}"
    keys = key or certificate
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"certfile {certificate}: the key in {keys} belongs to another certificate"
    if not is_certificate(certificate):
        return f"certfile {certificate}: it is no PEM file of a certificate"
    if "ENCRYPTED" in _text(keys):
        return f"keyfile {keys}: the key is encrypted, and keyfile_password_file does not open it"
    return f"keyfile {keys}: it has no private key that OpenSSL can read ({error.reason or error})"


def _text(file: str) -> str:
    try:
        return Path(file).read_text("latin-1")
    except OSError:
        return ""


def _signature(settings: TLSSettings) -> list[tuple[int, int, int] | None]:
    return [_state(name) for name in settings.files]


def _state(name: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(name)  # noqa: PTH116 - of a text
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size

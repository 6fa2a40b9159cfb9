"""The names that a certificate is for, which Python tells of others' certificates alone: a walk through DER (X.690)."""

import ssl
from collections.abc import Iterator
from pathlib import Path

__all__ = ["is_certificate", "names_of"]

_SEQUENCE, _OID, _OCTET_STRING = 0x30, 0x06, 0x04
_EXTENSIONS = 0xA3
"""[3] of TBSCertificate (RFC 5280 §4.1)."""
_DNS_NAME = 0x82
"""[2] of GeneralName (RFC 5280 §4.2.1.6)."""
_SUBJECT_ALT_NAME = bytes([0x55, 0x1D, 0x11])
"""2.5.29.17."""

_END = "-----END CERTIFICATE-----"


def names_of(file: str) -> list[str]:
    """Return the DNS names, in lower case, of the first certificate in a PEM file; `*.example.org` as it stands."""
    der = _first_certificate(file)
    try:
        return [] if der is None else list(_names(der))
    except (IndexError, ValueError):  # OpenSSL will say what is wrong with it
        return []


def is_certificate(file: str) -> bool:
    """Whether a file begins with a certificate in PEM."""
    return _first_certificate(file) is not None


def _first_certificate(file: str) -> bytes | None:
    try:
        text = Path(file).read_text("latin-1")
        begin = text.index("-----BEGIN CERTIFICATE-----")
        return ssl.PEM_cert_to_DER_cert(text[begin : text.index(_END, begin) + len(_END)])
    except (OSError, ValueError):
        return None


def _names(der: bytes) -> Iterator[str]:
    for _, certificate in _elements(der):
        (_, to_be_signed), *_ = _elements(certificate)
        for tag, explicit in _elements(to_be_signed):
            if tag == _EXTENSIONS:
                for _, extensions in _elements(explicit):
                    for _, extension in _elements(extensions):
                        yield from _names_in(list(_elements(extension)))


def _names_in(extension: list[tuple[int, bytes]]) -> Iterator[str]:
    """Yield the names of an extension: its identifier, perhaps whether it is critical, its value."""
    if extension[0] == (_OID, _SUBJECT_ALT_NAME) and extension[-1][0] == _OCTET_STRING:
        for _, names in _elements(extension[-1][1]):
            for tag, name in _elements(names):
                if tag == _DNS_NAME:
                    yield name.decode("latin-1").lower()


def _elements(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each element; lengths have at most four octets here."""
    at = 0
    while at + 2 <= len(octets):
        tag, length = octets[at], octets[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(octets[at : at + size])
            at += size
        yield tag, octets[at : at + length]
        at += length

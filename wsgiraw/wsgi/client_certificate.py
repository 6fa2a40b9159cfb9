"""TLS in the environ, under the names that Apache's mod_ssl gave it: the connection's, and the client's certificate."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["tls_environ"]

_SHORT = {
    "commonName": "CN",
    "countryName": "C",
    "domainComponent": "DC",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "stateOrProvinceName": "ST",
    "streetAddress": "STREET",
    "userId": "UID",
}
"""Keywords of RFC 4514 §3."""

_ESCAPES = {code: f"\\{code:02X}" for code in (*range(0x20), 0x7F)} | {ord(char): f"\\{char}" for char in '"+,;<>\\='}
"""RFC 4514 §2.4, and nothing that could end a line of whoever writes it down."""


def tls_environ(version: str, cipher: str, certificate: tuple[Mapping[str, Any], str] | None) -> dict[str, str]:
    """Return the variables of a connection that is encrypted.

    `certificate` is the client's, as `ssl.SSLSocket.getpeercert` has it and in PEM, if it has shown one that was found
    right. Values hold UTF-8 as PEP 3333 has it: each octet a character.
    """
    environ = {"wsgi.url_scheme": "https", "HTTPS": "on", "SSL_PROTOCOL": version, "SSL_CIPHER": cipher}
    if certificate is None:
        return {**environ, "SSL_CLIENT_VERIFY": "NONE"}
    parts, pem = certificate
    return {
        **environ,
        "SSL_CLIENT_VERIFY": "SUCCESS",
        "SSL_CLIENT_S_DN": _distinguished_name(parts.get("subject", ())),
        "SSL_CLIENT_I_DN": _distinguished_name(parts.get("issuer", ())),
        "SSL_CLIENT_M_SERIAL": str(parts.get("serialNumber", "")),
        "SSL_CLIENT_V_START": str(parts.get("notBefore", "")),
        "SSL_CLIENT_V_END": str(parts.get("notAfter", "")),
        "SSL_CLIENT_CERT": pem,
    }


def _distinguished_name(name: Any) -> str:
    """Return a name as RFC 4514 §2 writes it, the last part first."""
    return ",".join("+".join(_attributes(part)) for part in reversed(name))


def _attributes(part: Any) -> Iterator[str]:
    for keyword, value in part:
        text = value.translate(_ESCAPES)
        if text.endswith(" ") and len(text) > 1:
            text = text[:-1] + "\\ "
        if text.startswith((" ", "#")):
            text = "\\" + text
        yield f"{_SHORT.get(keyword, keyword)}={text.encode(errors='replace').decode('latin-1')}"

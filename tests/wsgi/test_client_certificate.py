"""TLS in the environ: names of mod_ssl, whatever stands in a certificate."""

import pytest

from wsgiraw.wsgi import tls_environ


def name(*parts: tuple[tuple[str, str], ...]) -> tuple[tuple[tuple[str, str], ...], ...]:
    return parts


def test_without_a_certificate() -> None:
    assert tls_environ("TLSv1.3", "TLS_AES_256_GCM_SHA384", None) == {
        "wsgi.url_scheme": "https",
        "HTTPS": "on",
        "SSL_PROTOCOL": "TLSv1.3",
        "SSL_CIPHER": "TLS_AES_256_GCM_SHA384",
        "SSL_CLIENT_VERIFY": "NONE",
    }


def test_with_a_certificate() -> None:
    parts = {
        "subject": name((("countryName", "DE"),), (("organizationName", "Ours"), ("commonName", "Ada"))),
        "issuer": name((("commonName", "CA"),)),
        "serialNumber": "0F",
        "notBefore": "Nov 28 00:00:00 2026 GMT",
        "notAfter": "Nov 28 00:00:00 2027 GMT",
    }
    environ = tls_environ("TLSv1.2", "X", (parts, "PEM"))
    assert environ["SSL_CLIENT_VERIFY"] == "SUCCESS"
    assert environ["SSL_CLIENT_S_DN"] == "O=Ours+CN=Ada,C=DE"  # RFC 4514 §2.1: the last part first
    assert environ["SSL_CLIENT_I_DN"] == "CN=CA"
    assert environ["SSL_CLIENT_M_SERIAL"] == "0F"
    assert environ["SSL_CLIENT_V_START"] == "Nov 28 00:00:00 2026 GMT"
    assert environ["SSL_CLIENT_V_END"] == "Nov 28 00:00:00 2027 GMT"
    assert environ["SSL_CLIENT_CERT"] == "PEM"


def test_what_python_could_not_read() -> None:
    environ = tls_environ("TLSv1.2", "X", ({}, "PEM"))
    assert (environ["SSL_CLIENT_VERIFY"], environ["SSL_CLIENT_S_DN"], environ["SSL_CLIENT_CERT"]) == (
        "SUCCESS",
        "",
        "PEM",
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a,b=c+d", r"a\,b\=c\+d"),
        (" #x ", r"\ #x\ "),
        ("#x", r"\#x"),
        (" ", "\\ "),
        ("", ""),
        ('"<\\>;', r"\"\<\\\>\;"),
        ("a\r\nb\0", r"a\0D\0Ab\00"),
        ("Zoë", "Zo\xc3\xab"),
        ("\ud800", "?"),
    ],
)
def test_odd_names(value: str, shown: str) -> None:
    """RFC 4514 §2.4; UTF-8 as PEP 3333 has it."""
    parts = {"subject": name((("emailAddress", value),))}
    assert tls_environ("", "", (parts, ""))["SSL_CLIENT_S_DN"] == f"emailAddress={shown}"

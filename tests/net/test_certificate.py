"""The names of a certificate: those of real ones, and none of what is none."""

from pathlib import Path

import pytest
import trustme

from wsgiraw.net.certificate import is_certificate, names_of


def test_names(tmp_path: Path) -> None:
    file = tmp_path / "certificate.pem"
    issued = trustme.CA().issue_cert("Example.org", "*.example.org", "127.0.0.1", "x" * 63 + ".example.org")
    issued.private_key_and_cert_chain_pem.write_to_path(file)
    assert names_of(str(file)) == ["example.org", "*.example.org", "x" * 63 + ".example.org"]
    assert is_certificate(str(file))


def test_an_authority_has_none(tmp_path: Path) -> None:
    file = tmp_path / "authority.pem"
    trustme.CA().cert_pem.write_to_path(file)
    assert names_of(str(file)) == []


BEGIN, END = "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("text", ["", "hello", BEGIN, BEGIN + "###" + END, BEGIN + "AAAA" + END, "\xff" + BEGIN + END])
def test_what_is_no_certificate_has_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "certificate.pem"
    file.write_text(text, "latin-1")
    assert names_of(str(file)) == []
    assert names_of(str(tmp_path / "absent")) == []

"""Certificates for tests: an authority, and what it issues to servers and clients. Elliptic curves, which are quick."""

import datetime
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

__all__ = ["Authority", "Certificate"]


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, in files."""

    certfile: str
    """The certificate alone."""
    keyfile: str
    """The key alone."""
    both: str
    """The key and the certificate in one file."""

    @property
    def pem(self) -> str:
        """The text of the certificate."""
        return Path(self.certfile).read_text()

    @property
    def x509(self) -> x509.Certificate:
        """What is in it."""
        return x509.load_pem_x509_certificate(self.pem.encode())

    @property
    def serial(self) -> str:
        """The number by which tests tell certificates apart, as Python's ssl shows it: hexadecimal, whole octets."""
        digits = f"{self.x509.serial_number:X}"
        return digits.zfill(len(digits) + len(digits) % 2)

    @property
    def options(self) -> dict[str, object]:
        """Options with which a server uses it."""
        return {"certfile": [self.certfile], "keyfile": [self.keyfile]}

    @property
    def flags(self) -> tuple[str, str]:
        """The same for the command line."""
        return f"--certfile={self.certfile}", f"--keyfile={self.keyfile}"

    def encrypted(self, password: str) -> str:
        """Return a file with the key, encrypted."""
        key = load_pem_private_key(Path(self.keyfile).read_bytes(), None)
        octets = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode()))
        return _file(Path(self.keyfile).parent, octets)

    def copy(self, folder: Path) -> "Certificate":
        """Return a copy in files of its own, in a folder."""
        target = Certificate(str(folder / "certificate.pem"), str(folder / "key.pem"), str(folder / "both.pem"))
        self.replace(target)
        return target

    def replace(self, other: "Certificate") -> None:
        """Put this one into the files of another, each in one step, as those who renew certificates do."""
        for source, target in (
            (self.certfile, other.certfile),
            (self.keyfile, other.keyfile),
            (self.both, other.both),
        ):
            fresh = Path(f"{target}.new")
            fresh.write_bytes(Path(source).read_bytes())
            fresh.rename(target)


class Authority:
    """Issues certificates, into a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.certfile = _file(folder, self._authority.cert_pem.bytes())
        """Its own certificate, which others trust."""
        self.name = x509.load_pem_x509_certificate(self._authority.cert_pem.bytes()).subject
        self.server = self.issue("localhost", "127.0.0.1")
        self.client = self.issue("alice@example.org", common_name="Alice", organization_name="Wonderland")

    def issue(
        self,
        *identities: str,
        common_name: str | None = None,
        organization_name: str | None = None,
        organization_unit_name: str | None = None,
        expired: bool = False,
    ) -> Certificate:
        """Return a certificate for host names, addresses of machines or of mail."""
        return self._issue(self._authority, identities, common_name, organization_name, organization_unit_name, expired)

    def between(self, *identities: str) -> Certificate:
        """Return a certificate of another authority, which this one vouches for; `both` has the whole chain."""
        return self._issue(self._authority.create_child_ca(), identities)

    def _issue(
        self,
        authority: trustme.CA,
        identities: tuple[str, ...],
        common_name: str | None = None,
        organization_name: str | None = None,
        organization_unit_name: str | None = None,
        expired: bool = False,
    ) -> Certificate:
        now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        issued = authority.issue_cert(
            *identities,
            common_name=common_name,
            organization_name=organization_name,
            organization_unit_name=organization_unit_name,
            not_before=now - datetime.timedelta(days=2),
            not_after=now + datetime.timedelta(days=-1 if expired else 30),
        )
        return Certificate(
            _file(self._folder, issued.cert_chain_pems[0].bytes()),
            _file(self._folder, issued.private_key_pem.bytes()),
            _file(self._folder, issued.private_key_and_cert_chain_pem.bytes()),
        )


def _file(folder: Path, octets: bytes) -> str:
    path = Path(mkdtemp(dir=folder), "pem")
    path.write_bytes(octets)
    return os.fspath(path)

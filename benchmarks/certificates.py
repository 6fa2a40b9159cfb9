"""A certificate for the servers that are measured, signed by itself, made by the openssl command. It serves nothing."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

KEY = "ECDSA P-256"


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files of a certificate for 127.0.0.1 and of its key (PKCS #8, because granian takes nothing else)."""

    chain: Path
    key: Path

    def context(self, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        """What a client needs that trusts this certificate alone, and speaks this version of TLS alone."""
        context = ssl.create_default_context(cafile=self.chain)
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context


def certificate(folder: Path) -> Certificate:
    """A new key and a certificate for it, valid for two days, as files in this folder."""
    chain, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(chain)),
        ],
        check=True,
        capture_output=True,
    )
    return Certificate(chain, key)

"""A client of TLS 1.3 that seals records itself (RFC 8446 §5, §7): such as no library would send."""

from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

__all__ = ["APPLICATION_DATA", "HANDSHAKE", "KEY_UPDATE", "Sealing"]

HANDSHAKE = 22
APPLICATION_DATA = 23
KEY_UPDATE = bytes([24, 0, 0, 1, 1])
"""It asks for one in return (RFC 8446 §4.6.3)."""

_CIPHERS = {"TLS_AES_256_GCM_SHA384": (SHA384, 32), "TLS_AES_128_GCM_SHA256": (SHA256, 16)}


class Sealing:
    """The client's side of a connection after its handshake. What it seals must be sent in order, and nothing else."""

    def __init__(self, keylog: Path, cipher: str) -> None:
        """`keylog` is what `ssl.SSLContext.keylog_filename` has written, of one connection."""
        self._hash, self._size = _CIPHERS[cipher]
        (line,) = [line for line in keylog.read_text().splitlines() if line.startswith("CLIENT_TRAFFIC_SECRET_0 ")]
        self._secret = bytes.fromhex(line.split()[2])
        self._use()

    def _use(self) -> None:
        self._key = AESGCM(self._expand("key", self._size))
        self._iv = int.from_bytes(self._expand("iv", 12))
        self._number = 0

    def _expand(self, label: str, length: int) -> bytes:
        name = f"tls13 {label}".encode()
        info = length.to_bytes(2) + bytes([len(name)]) + name + b"\0"
        return HKDFExpand(self._hash(), length, info).derive(self._secret)

    def record(self, content: bytes, kind: int = APPLICATION_DATA) -> bytes:
        """Return a record."""
        inner = content + bytes([kind])
        header = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2)
        nonce = (self._iv ^ self._number).to_bytes(12)
        self._number += 1
        return header + self._key.encrypt(nonce, inner, header)

    def key_update(self) -> bytes:
        """Return a record that changes the key of those that follow."""
        record = self.record(KEY_UPDATE, HANDSHAKE)
        self._secret = self._expand("traffic upd", self._hash().digest_size)
        self._use()
        return record

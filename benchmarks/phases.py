"""The phases of an exchange in which a client can stall: what he has sent by then, in octets. It connects nobody."""

import ssl
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stall:
    """What a client sends at once, and then an octet a second, if at all (followed by as many x as there is time)."""

    title: str
    at_once: bytes = b""
    drips: bytes = b""
    window: int | None = None
    keeps: bool = False
    """The server's end of file is what he waits for, and he does not close."""


def _request(line: str, *fields: str, body: bytes = b"") -> bytes:
    return "\r\n".join([line, "Host: 127.0.0.1", *fields, "", ""]).encode() + body


def _half_a_client_hello() -> bytes:
    sent = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    hello = sent.read()
    return hello[: len(hello) // 2]


TLS = "half-handshake"
ALL = "all"
GET = "GET /quick HTTP/1.1"
UPLOAD = "POST /upload HTTP/1.1"
STALLS = {
    "silent": Stall("silent after connect"),
    "half-head": Stall("half a head", _request(GET, "User-Agent: stalls", "Cookie: a=b")[:-8]),
    "dripped-head": Stall("a head of one octet a second", drips=_request(GET, "Cookie: a=")[:-4]),
    "half-body": Stall("half a body", _request(UPLOAD, "Content-Length: 2000", body=bytes(1000))),
    "dripped-body": Stall("a body of one octet a second", _request(UPLOAD, "Content-Length: 2000"), b"x"),
    "unread": Stall("never reads 50 MB", _request("GET /large HTTP/1.1"), window=4096),
    "unread-generated": Stall("never reads 50 MB of a generator", _request("GET /generated HTTP/1.1"), window=4096),
    "unclosed": Stall("never closes after our close", _request(GET, "Connection: close"), keeps=True),
    TLS: Stall("never finishes a TLS handshake", _half_a_client_hello()),
}
TOGETHER = [kind for kind in STALLS if kind not in (TLS, "unread-generated")]

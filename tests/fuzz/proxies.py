"""Targets: what proxies say, in a PROXY header and in forwarded fields, beside models of both."""

import re
import socket
import struct
from ipaddress import ip_address
from typing import Any

from tests.fuzz.grammar import HOST, ipv4address, ipv6address
from wsgiraw.errors import HTTPError
from wsgiraw.net.proxy_protocol import LONGEST, Endpoint, Parsed, ProxyProtocolError, parse
from wsgiraw.trust import TrustedPeers
from wsgiraw.wsgi.forwarded import Forwarding

__all__ = ["FORWARDED_SEEDS", "forwarded", "proxy_header"]

PORT = "(?:[1-9][0-9]{0,4}|0)"

# doc/proxy-protocol.txt §2.1
V1_LINE = re.compile(
    f"PROXY (?:(?:TCP4 ({ipv4address}) ({ipv4address})|TCP6 ({ipv6address}) ({ipv6address})) ({PORT}) ({PORT})"
    r"|UNKNOWN(?: .*)?)",
    re.DOTALL,
)
V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"

NOTHING = "more must arrive, or nothing that may follow can mend it"
MALFORMED = "malformed"


def proxy_header(octets: bytes) -> None:
    """Any octets give a header, a refusal or a wait; the first two at some octet, and for good; as the model says."""
    results = [_result(octets[:size]) for size in range(len(octets) + 1)]
    told = [result for result in results if result is not None]
    assert all(result == told[0] for result in told), "it changes with what follows"
    assert results == [None] * (len(results) - len(told)) + told
    assert told or len(octets) < LONGEST
    expected = _judged(octets)
    if expected != NOTHING:
        assert results[-1] == expected
    else:
        assert results[-1] in (None, MALFORMED)


def _result(octets: bytes) -> Parsed | str | None:
    try:
        return parse(octets)
    except ProxyProtocolError:
        return MALFORMED


def _judged(octets: bytes) -> Parsed | str:
    if V2_SIGNATURE.startswith(octets):
        return NOTHING
    if octets.startswith(V2_SIGNATURE):
        return _judged_v2(octets)
    line, end, _ = octets[:107].partition(b"\r\n")
    if not end:
        return NOTHING if len(octets) < 107 else MALFORMED
    match = V1_LINE.fullmatch(line.decode("latin-1"))
    if not match or any(port and int(port) > 65535 for port in match.groups()[4:]):
        return MALFORMED
    addresses = [_shown(address) for address in match.groups()[:4] if address]
    source, destination = zip(addresses, match.groups()[4:], strict=True) if addresses else (None, None)
    return Parsed(len(line) + 2, source, destination)


def _judged_v2(octets: bytes) -> Parsed | str:
    if len(octets) < 16:
        return NOTHING
    command, family, length = struct.unpack_from("!BBH", octets, 12)
    header = octets[: 16 + length]
    if command not in (0x20, 0x21) or 16 + length > LONGEST:
        return MALFORMED
    if len(header) < 16 + length:
        return NOTHING
    if command == 0x20:
        return Parsed(len(header), None, None)
    addresses = {0x00: "", 0x11: "4s4s2s2s", 0x21: "16s16s2s2s", 0x31: "108s108s"}.get(family)
    if addresses is None or length < struct.calcsize(addresses):
        return MALFORMED
    if not _are_tlvs(header, 16 + struct.calcsize(addresses)):
        return MALFORMED
    if family not in (0x11, 0x21):
        return Parsed(len(header), None, None)
    source, destination, *ports = struct.unpack_from(addresses, header, 16)
    kind = socket.AF_INET if family == 0x11 else socket.AF_INET6
    ends: list[Endpoint] = [
        (_shown(socket.inet_ntop(kind, address)), str(int.from_bytes(port)))
        for address, port in zip((source, destination), ports, strict=True)
    ]
    return Parsed(len(header), *ends)


def _are_tlvs(header: bytes, start: int) -> bool:
    checksums = 0
    while start < len(header):
        kind, size = struct.unpack_from("!BH", header[start:].ljust(3, b"\xff"))
        value, start = start + 3, start + 3 + size
        if start > len(header):
            return False
        if kind == 0x03:
            checksums += 1
            if size != 4 or header[value:start] != _crc32c(header[:value] + bytes(4) + header[start:]):
                return False
    return checksums <= 1


def _crc32c(octets: bytes) -> bytes:
    """Return the remainder, bit by bit (RFC 9260 Appendix A)."""
    value = 0xFFFFFFFF
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return (value ^ 0xFFFFFFFF).to_bytes(4)


def _shown(text: str) -> str:
    address = ip_address(text)
    return str(getattr(address, "ipv4_mapped", None) or address)


FIELDS = ("forwarded", *(f"x-forwarded-{what}" for what in ("for", "proto", "host", "port", "prefix")))
FORWARDED_SEEDS = [
    b'1\nfor=192.0.2.1;proto=https;host="a:8080"',
    b'2\nfor="[2001:db8::1]:80", for=_x;by=unknown',
    b"1\n\n192.0.2.1, 2001:db8::1\nhttps\na:1\n8443\n/app",
    b'3\nfor="a\\"b, for=b',
    b"1\n\n\n\n\n\n/%2Fevil.example",
]


def forwarded(data: bytes) -> None:
    """Whatever a trusted proxy says is refused or makes a sound environ. A line for hops, then one for each field."""
    hops, *values = data.decode("latin-1").split("\n")
    fields = {"HTTP_HOST": "a"}
    for name, value in zip(FIELDS, values, strict=False):
        if value and value.isprintable():
            fields["HTTP_" + name.upper().replace("-", "_")] = value.strip(" \t")
    before = {
        "SERVER_NAME": "here",
        "SERVER_PORT": "8000",
        "SCRIPT_NAME": "",
        "REMOTE_ADDR": "10.0.0.7",
        "REMOTE_PORT": "4711",
        "wsgi.url_scheme": "http",
    }
    environ = dict(before)
    try:
        after = Forwarding(TrustedPeers(["10.0.0.7"]), FIELDS, ord(hops[-1:] or "1") % 4 + 1).connection_environ(
            environ, fields
        )
    except HTTPError as error:
        if error.status != 400:
            raise AssertionError("another status") from error
        after = before
    assert environ == before, "it belongs to the connection"
    _check_environ(after, fields)


def _check_environ(environ: dict[str, Any], fields: dict[str, str]) -> None:
    assert HOST.fullmatch(fields["HTTP_HOST"])
    assert re.fullmatch("[0-9]{1,5}", environ["SERVER_PORT"])
    assert re.fullmatch(PORT, environ["REMOTE_PORT"])
    assert (environ["wsgi.url_scheme"] == "https") == ("HTTPS" in environ)
    assert environ["SERVER_NAME"]
    address = environ["REMOTE_ADDR"]
    assert address == "unknown" or address[0] == "_" or _shown(address) == address
    assert not environ["SCRIPT_NAME"] or re.match("/[^/]", environ["SCRIPT_NAME"])

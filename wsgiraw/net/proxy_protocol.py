"""The PROXY protocol, versions 1 and 2 (HAProxy's doc/proxy-protocol.txt): octets to who has connected.

A pure function of octets: who may send a header, and how long that may take, is the caller's business.
"""

from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

__all__ = ["LONGEST", "Endpoint", "Parsed", "ProxyProtocolError", "parse"]

Endpoint = tuple[str, str]
"""Address and port, as they are shown in the environ."""


class ProxyProtocolError(Exception):
    """What a connection begins with is no PROXY header, or a malformed one: nobody can say whose it is. Close it."""


class Parsed(NamedTuple):
    """A complete header. Where source and destination are None, the connection's own ends are meant."""

    size: int
    """Octets of the header; what the client has sent itself follows."""
    source: Endpoint | None
    destination: Endpoint | None


_V1_BEGIN = b"PROXY "
_V1_LONGEST = 107
"""Octets of a line with its CRLF (§2.1), which is what `UNKNOWN` and two long addresses of version 6 take."""

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED = len(_SIGNATURE) + 4
_V2_MOST = 4096
"""Octets behind the fixed part of version 2. Addresses take up to 216, the rest is for TLVs. Senders are asked to keep
all of it in one segment (§2.2), so this is generous, and a bound on what is kept for who has not said who it is."""

LONGEST = _FIXED + _V2_MOST
"""No header has more octets: enough to receive at most so many until there is one."""


def parse(octets: bytes) -> Parsed | None:
    """Return the header that `octets` begin with, or None where more must arrive first.

    Raises `ProxyProtocolError` for what cannot become one, whatever may follow: for a client that speaks something else
    at its first octets. The result does not depend on how many octets beyond the header are there.
    """
    if octets.startswith(_SIGNATURE[: len(octets)]):
        return _parse_v2(octets)
    if octets.startswith(_V1_BEGIN[: len(octets)]):
        return _parse_v1(octets)
    raise ProxyProtocolError("no PROXY header")


def _parse_v1(octets: bytes) -> Parsed | None:
    line, end, _ = octets[:_V1_LONGEST].partition(b"\r\n")
    size = len(line) + len(end)
    if not end and size == _V1_LONGEST:
        raise ProxyProtocolError("the line is too long")
    family, space, rest = line[len(_V1_BEGIN) :].partition(b" ")
    if not (space or end):
        if not any(name.startswith(family) for name in (b"TCP4", b"TCP6", b"UNKNOWN\r")):
            raise ProxyProtocolError("an unknown family")
        return None
    if family == b"UNKNOWN":  # whatever else is on the line is to be ignored
        return Parsed(size, None, None) if end else None
    if family not in (b"TCP4", b"TCP6"):
        raise ProxyProtocolError("an unknown family")
    words = rest.split(b" ")
    complete = words if end else words[:-1]
    if len(words) > 4 or (end and len(words) < 4):
        raise ProxyProtocolError("not two addresses and two ports")
    shown = [(_v1_address(word, family) if place < 2 else _v1_port(word)) for place, word in enumerate(complete)]
    if end:
        return Parsed(size, (shown[0], shown[2]), (shown[1], shown[3]))
    # The last word is not complete; its CR may be here already.
    last = words[-1].removesuffix(b"\r") if len(words) == 4 else words[-1]
    if last.translate(None, b"0123456789" if len(words) > 2 else b"0123456789abcdefABCDEF:."):
        raise ProxyProtocolError("an octet that belongs to no address or port")
    return None


def _v1_address(word: bytes, family: bytes) -> str:
    text = word.decode("latin-1")
    try:
        if family == b"TCP4":
            return str(IPv4Address(text))
        if "%" not in text:
            return _shown(IPv6Address(text))
    except ValueError:
        pass
    raise ProxyProtocolError("an address that is none of its family")


def _v1_port(word: bytes) -> str:
    if not word.isdigit() or len(word) > 5 or (word[:1] == b"0" and word != b"0") or int(word) > 65535:
        raise ProxyProtocolError("a port that is not 0 to 65535 in its shortest form")
    return word.decode("ascii")


_INET, _INET6, _UNIX, _UNSPECIFIED = 0x11, 0x21, 0x31, 0x00
_ADDRESS_OCTETS = {_UNSPECIFIED: 0, _INET: 4, _INET6: 16, _UNIX: 108}
"""Family and transport → octets of an address. Streams only: HTTP/1.1 comes by no other transport (§2.2)."""

_CRC32C = 0x03
"""PP2_TYPE_CRC32C (§2.2.3)."""


def _parse_v2(octets: bytes) -> Parsed | None:
    version_and_command, family = octets[12:13], octets[13:14]
    if version_and_command not in (b"", b"\x20", b"\x21"):
        raise ProxyProtocolError("neither LOCAL nor PROXY of version 2")
    local = version_and_command == b"\x20"
    if family and not local and family[0] not in _ADDRESS_OCTETS:
        raise ProxyProtocolError("a family or transport that is no stream")
    if len(octets) < _FIXED:
        return None
    length = int.from_bytes(octets[14:_FIXED], "big")
    if length > _V2_MOST:
        raise ProxyProtocolError("the header is too long")
    size = _FIXED + length
    if local:  # the proxy speaks for itself; all that follows is to be discarded
        return Parsed(size, None, None) if len(octets) >= size else None
    address = _ADDRESS_OCTETS[family[0]]
    ports = 4 if address in (4, 16) else 0
    if length < 2 * address + ports:
        raise ProxyProtocolError("the header is too short for its addresses")
    if len(octets) < size:
        return None
    header = octets[:size]
    _check_tlvs(header, _FIXED + 2 * address + ports)
    if not ports:
        return Parsed(size, None, None)
    packed = [header[place : place + address] for place in (_FIXED, _FIXED + address)]
    source, destination = (str(IPv4Address(one)) if family[0] == _INET else _shown(IPv6Address(one)) for one in packed)
    after = _FIXED + 2 * address
    source_port, destination_port = (str(int.from_bytes(header[at : at + 2], "big")) for at in (after, after + 2))
    return Parsed(size, (source, source_port), (destination, destination_port))


def _check_tlvs(header: bytes, place: int) -> None:
    """Walk over type, length and value from `place` to the end; where there is a checksum, it must be right."""
    checked = False
    while place < len(header):
        value = place + 3
        end = value + int.from_bytes(header[place + 1 : value], "big")
        if value > len(header) or end > len(header):
            raise ProxyProtocolError("a TLV is longer than the header")
        if header[place] == _CRC32C:
            if checked or end - value != 4:
                raise ProxyProtocolError("two checksums, or one that is not of 4 octets")
            checked = True
            # It is that of the header with zeros in its own place (§2.2.3).
            if _crc32c(header[:value] + bytes(4) + header[end:]) != int.from_bytes(header[value:end], "big"):
                raise ProxyProtocolError("the checksum is wrong")
        place = end


def _shown(address: IPv6Address) -> str:
    """Return an address as `Listener.accept` shows it: one of IPv4 as such (RFC 4291 §2.5.5.2)."""
    return str(address.ipv4_mapped or address)


def _table() -> list[int]:
    """Return the remainders of each octet by Castagnoli's polynomial (RFC 9260 Appendix A), lowest bit first."""
    remainders = []
    for remainder in range(256):
        for _ in range(8):
            remainder = remainder >> 1 ^ (0x82F63B78 if remainder & 1 else 0)
        remainders.append(remainder)
    return remainders


_REMAINDERS = _table()


def _crc32c(octets: bytes) -> int:
    remainder = 0xFFFFFFFF
    for octet in octets:
        remainder = remainder >> 8 ^ _REMAINDERS[(remainder ^ octet) & 0xFF]
    return remainder ^ 0xFFFFFFFF

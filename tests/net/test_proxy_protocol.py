"""The PROXY protocol: what a header says, what is none, and that neither depends on how the octets are cut."""

import socket
import struct
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wsgiraw.net.proxy_protocol import LONGEST, Parsed, ProxyProtocolError, parse

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
REST = b"GET / HTTP/1.1\r\n"


def v2(rest: bytes = b"", command: int = 0x21, family: int = 0x11, length: int | None = None) -> bytes:
    """Return a header of version 2."""
    return SIGNATURE + struct.pack("!BBH", command, family, len(rest) if length is None else length) + rest


def inet(source: str = "192.0.2.1", destination: str = "198.51.100.2", ports: tuple[int, int] = (4711, 443)) -> bytes:
    """Return two addresses and ports of IPv4."""
    return socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack("!HH", *ports)


def inet6(source: str = "2001:db8::1", destination: str = "2001:db8::2", ports: tuple[int, int] = (4711, 443)) -> bytes:
    """Return two addresses and ports of IPv6."""
    pack = socket.inet_pton
    return pack(socket.AF_INET6, source) + pack(socket.AF_INET6, destination) + struct.pack("!HH", *ports)


def tlv(kind: int, value: bytes, length: int | None = None) -> bytes:
    """Return a type, length and value."""
    return struct.pack("!BH", kind, len(value) if length is None else length) + value


def remainder(octets: bytes) -> int:
    """CRC-32C bit by bit, as RFC 9260 Appendix A defines it."""
    value = 0xFFFFFFFF
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ 0x82F63B78 if value & 1 else value >> 1
    return value ^ 0xFFFFFFFF


def summed(before: bytes = b"", after: bytes = b"", spoil: int = 0) -> bytes:
    """Return a header with a checksum between TLVs."""
    zeroed = v2(inet() + before + tlv(3, bytes(4)) + after)
    place = 16 + 12 + len(before) + 3
    return zeroed[:place] + struct.pack("!I", remainder(zeroed) ^ spoil) + zeroed[place + 4 :]


ENDS = (("192.0.2.1", "4711"), ("198.51.100.2", "443"))
ENDS6 = (("2001:db8::1", "4711"), ("2001:db8::2", "443"))
NOBODY = (None, None)

VALID = {
    "tcp4": (b"PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\r\n", ENDS),
    "tcp4-bounds": (
        b"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n",
        (("0.0.0.0", "0"), ("255.255.255.255", "65535")),
    ),
    "tcp6": (b"PROXY TCP6 2001:db8::1 2001:DB8:0::2 4711 443\r\n", ENDS6),
    "tcp6-longest": (
        b"PROXY TCP6 ffff:f000:ffff:ffff:ffff:ffff:ffff:ffff ffff:f000:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
        (("ffff:f000:ffff:ffff:ffff:ffff:ffff:ffff", "65535"),) * 2,
    ),
    "tcp6-mapped": (b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:c633:6402 4711 443\r\n", ENDS),
    "unknown": (b"PROXY UNKNOWN\r\n", NOBODY),
    "unknown-addresses": (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", NOBODY),
    "unknown-anything": (b"PROXY UNKNOWN \0\r\xff  x\r\n", NOBODY),
    "unknown-longest": (b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n", NOBODY),
    "v2-inet": (v2(inet()), ENDS),
    "v2-inet6": (v2(inet6(), family=0x21), ENDS6),
    "v2-inet6-mapped": (v2(inet6("::ffff:192.0.2.1", "::ffff:198.51.100.2"), family=0x21), ENDS),
    "v2-unix": (v2(bytes(216), family=0x31), NOBODY),
    "v2-unspecified": (v2(family=0x00), NOBODY),
    "v2-unspecified-tlv": (v2(tlv(4, b"x"), family=0x00), NOBODY),
    "v2-local": (v2(command=0x20, family=0x00), NOBODY),
    "v2-local-anything": (v2(b"\x03\xff\xff", command=0x20, family=0xFF), NOBODY),
    "v2-tlvs": (v2(inet() + tlv(1, b"http/1.1") + tlv(4, b"") + tlv(0xEA, b"x" * 300)), ENDS),
    "v2-longest": (v2(inet() + tlv(4, bytes(4096 - 12 - 3))), ENDS),
    "v2-checksum": (summed(), ENDS),
    "v2-checksum-between": (summed(tlv(1, b"h2"), tlv(4, b"padding")), ENDS),
}


@pytest.mark.parametrize(("octets", "ends"), VALID.values(), ids=VALID)
def test_valid(octets: bytes, ends: tuple[object, object]) -> None:
    """A header says who has connected, however much follows; each shorter beginning is not enough."""
    assert parse(octets + REST) == parse(octets) == Parsed(len(octets), *ends)  # type: ignore[arg-type]
    for size in range(len(octets)):
        assert parse(octets[:size]) is None, f"{size} octets"
    assert len(octets) <= LONGEST


INVALID = {
    # octets → how many of them are enough to see it
    "http": (b"GET / HTTP/1.1\r\n\r\n", 1),
    "http-post": (b"POST / HTTP/1.1\r\n\r\n", 2),
    "tls": (b"\x16\x03\x01\x02\x00\x01", 1),
    "empty-line-http": (b"\r\nGET / HTTP/1.1\r\n\r\n", 3),
    "lower-case": (b"proxy TCP4 192.0.2.1 192.0.2.1 1 2\r\n", 1),
    "http-proxy-method": (b"PROXY / HTTP/1.1\r\n\r\n", 7),
    "two-spaces": (b"PROXY  TCP4 192.0.2.1 192.0.2.1 1 2\r\n", 7),
    "family": (b"PROXY TCP5 192.0.2.1 192.0.2.1 1 2\r\n", 10),
    "family-longer": (b"PROXY TCP44 192.0.2.1 192.0.2.1 1 2\r\n", 11),
    "family-udp": (b"PROXY UDP4 192.0.2.1 192.0.2.1 1 2\r\n", 8),
    "family-lower-case": (b"PROXY tcp4 192.0.2.1 192.0.2.1 1 2\r\n", 7),
    "unknown-longer": (b"PROXY UNKNOWNS\r\n", 14),
    "unknown-bare-cr": (b"PROXY UNKNOWN\rx\r\n", 15),
    "unknown-too-long": (b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n", 107),
    "no-addresses": (b"PROXY TCP4\r\n", 11),
    "one-address": (b"PROXY TCP4 192.0.2.1\r\n", 21),
    "no-destination-port": (b"PROXY TCP4 192.0.2.1 192.0.2.1 1\r\n", 33),
    "a-fifth-word": (b"PROXY TCP4 192.0.2.1 192.0.2.1 1 2 3\r\n", 35),
    "a-space-at-the-end": (b"PROXY TCP4 192.0.2.1 192.0.2.1 1 2 \r\n", 35),
    "two-spaces-between": (b"PROXY TCP4 192.0.2.1  192.0.2.1 1 2\r\n", 22),
    "tab": (b"PROXY TCP4 192.0.2.1\t192.0.2.1 1 2\r\n", 21),
    "bare-lf": (b"PROXY TCP4 192.0.2.1 192.0.2.1 1 2\nGET /", 35),
    "cr-without-lf": (b"PROXY TCP4 192.0.2.1 192.0.2.1 1 2\rGET /", 36),
    "octal": (b"PROXY TCP4 192.0.2.01 192.0.2.1 1 2\r\n", 22),
    "three-numbers": (b"PROXY TCP4 192.0.2 192.0.2.1 1 2\r\n", 19),
    "a-large-number": (b"PROXY TCP4 192.0.2.256 192.0.2.1 1 2\r\n", 23),
    "tcp4-with-ipv6": (b"PROXY TCP4 ::1 ::1 1 2\r\n", 15),
    "tcp6-with-ipv4": (b"PROXY TCP6 192.0.2.1 192.0.2.1 1 2\r\n", 21),
    "zone": (b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", 19),
    "zone-at-once": (b"PROXY TCP6 fe80::1%1 ::1 1 2\r\n", 19),
    "brackets": (b"PROXY TCP6 [::1] ::1 1 2\r\n", 12),
    "name": (b"PROXY TCP4 localhost 192.0.2.1 1 2\r\n", 12),
    "port-zeros": (b"PROXY TCP4 192.0.2.1 192.0.2.1 01 2\r\n", 34),
    "port-large": (b"PROXY TCP4 192.0.2.1 192.0.2.1 65536 2\r\n", 37),
    "port-larger": (b"PROXY TCP4 192.0.2.1 192.0.2.1 1 100000\r\n", 41),
    "port-sign": (b"PROXY TCP4 192.0.2.1 192.0.2.1 +1 2\r\n", 32),
    "port-empty": (b"PROXY TCP4 192.0.2.1 192.0.2.1  2\r\n", 32),
    "port-superscript": (b"PROXY TCP4 192.0.2.1 192.0.2.1 \xb2 2\r\n", 32),
    "endless": (b"PROXY TCP4 " + b"1" * 200, 107),
    "v2-signature": (v2(inet()).replace(b"QUIT\n", b"QUIT\r"), 12),
    "v2-version-1": (v2(inet(), command=0x11), 13),
    "v2-version-3": (v2(inet(), command=0x31), 13),
    "v2-command": (v2(inet(), command=0x22), 13),
    "v2-datagram": (v2(inet(), family=0x12), 14),
    "v2-unix-datagram": (v2(bytes(216), family=0x32), 14),
    "v2-unspecified-stream": (v2(family=0x01), 14),
    "v2-inet-unspecified": (v2(inet(), family=0x10), 14),
    "v2-family-4": (v2(inet(), family=0x41), 14),
    "v2-short": (v2(inet()[:-1]), 16),
    "v2-short-inet6": (v2(inet(), family=0x21), 16),
    "v2-short-unix": (v2(bytes(215), family=0x31), 16),
    "v2-long": (v2(inet(), length=4097), 16),
    "v2-local-long": (v2(command=0x20, family=0, length=65535), 16),
    "v2-tlv-without-length": (v2(inet() + b"\x04\x00"), 30),
    "v2-tlv-longer-than-all": (v2(inet() + tlv(4, b"x", length=2)), 32),
    "v2-second-tlv-longer": (v2(inet() + tlv(4, b"x") + tlv(4, b"", length=1)), 35),
    "v2-tlv-of-unix": (v2(bytes(216) + b"\x04", family=0x31), 233),
    "v2-tlv-of-unspecified": (v2(b"\x04", family=0x00), 17),
    "v2-checksum-wrong": (summed(spoil=1), 35),
    "v2-checksum-short": (v2(inet() + tlv(3, b"123")), 34),
    "v2-checksum-long": (v2(inet() + tlv(3, b"12345")), 36),
    "v2-checksum-twice": (summed(after=tlv(3, bytes(4))), 42),
}


@pytest.mark.parametrize(("octets", "enough"), INVALID.values(), ids=INVALID)
def test_invalid(octets: bytes, enough: int) -> None:
    """What is no header is refused as soon as that is certain, and whatever follows."""
    for size in range(enough):
        assert parse(octets[:size]) is None, f"{size} octets"
    for more in (octets[:enough], octets, octets + REST, octets + b"\r\n"):
        with pytest.raises(ProxyProtocolError):
            parse(more)


def test_an_octet_changed() -> None:
    """A checksum finds any, unless it is no longer called one."""
    octets = summed(tlv(1, b"h2"))
    for place in {*range(16, len(octets))} - {len(octets) - 7}:
        changed = octets[:place] + bytes([octets[place] ^ 0x10]) + octets[place + 1 :]
        with pytest.raises(ProxyProtocolError):
            parse(changed)


WORDS = [b"PROXY ", b"TCP4", b"TCP6", b"UNKNOWN", b" ", b"192.0.2.1", b"::1", b"443", b"0", b"\r", b"\n", b"\r\n"]
PARTS = [SIGNATURE, SIGNATURE[:5], b"\x20", b"\x21", b"\x11", b"\x31", b"\0\x0c", b"\0\xd8", inet(), tlv(4, b"x")]
PIECES = st.sampled_from(WORDS + PARTS)


def outcome(octets: bytes) -> Parsed | str | None:
    """Return what is parsed, or that it is refused."""
    try:
        return parse(octets)
    except ProxyProtocolError:
        return "refused"


@given(st.lists(PIECES | st.binary(max_size=3), max_size=12).map(b"".join))
@example(b"")
@example(b"PROXY UNKNOWN" + b" " * 92 + b"\r\n")
def test_does_not_depend_on_cuts(octets: bytes) -> None:
    """Any octets: more are asked for until there is one answer, which more octets do not change."""
    outcomes = [outcome(octets[:size]) for size in range(len(octets) + 1)]
    for before, after in pairwise(outcomes):
        assert before in (None, after)
    if isinstance(last := outcomes[-1], Parsed):
        assert outcomes.index(last) == last.size
    assert last is not None or len(octets) < LONGEST


@given(st.ip_addresses(v=4), st.ip_addresses(v=4), st.integers(0, 65535), st.integers(0, 65535), st.binary(max_size=9))
def test_both_versions_say_the_same(source: object, destination: object, first: int, second: int, rest: bytes) -> None:
    """Ends that are written as text or as octets are read alike."""
    ends = (str(source), str(first)), (str(destination), str(second))
    line = f"PROXY TCP4 {source} {destination} {first} {second}\r\n".encode()
    assert parse(line + rest) == Parsed(len(line), *ends)
    assert parse(v2(inet(str(source), str(destination), (first, second))) + rest) == Parsed(28, *ends)


@given(st.ip_addresses(v=6))
def test_addresses_of_version_6(address: object) -> None:
    """Each is shown in its shortest form, or as the address of version 4 that it stands for."""
    shown = str(getattr(address, "ipv4_mapped", None) or address)
    ends = (shown, "4711"), (shown, "443")
    line = f"PROXY TCP6 {address} {address} 4711 443\r\n".encode()
    assert parse(line) == Parsed(len(line), *ends)
    assert parse(v2(inet6(str(address), str(address)), family=0x21)) == Parsed(52, *ends)

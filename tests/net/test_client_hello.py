"""The name in a ClientHello: that of real ones, however records and reads cut them; nothing a client sends raises."""

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiraw.net.client_hello import asked_name


def hello(name: str | None, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    """Return what OpenSSL sends first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = version
    outgoing = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


def records(message: bytes, size: int) -> bytes:
    """Return a handshake message in records of at most so many octets (RFC 8446 §5.1)."""
    pieces = [message[at : at + size] for at in range(0, len(message), size)]
    return b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2) + piece for piece in pieces)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("name", "found"), [("WWW.Example.org", "www.example.org"), (None, "")])
def test_real_ones(version: ssl.TLSVersion, name: str | None, found: str) -> None:
    octets = hello(name, version)
    assert asked_name(octets) == found
    assert {asked_name(octets[:size]) for size in range(len(octets))} == {None}


@pytest.mark.parametrize("size", [9, 20, 100])
def test_records_cut_anywhere(size: int) -> None:
    octets = records(hello("example.org", ssl.TLSVersion.TLSv1_2)[5:], size)
    assert asked_name(octets) == "example.org"
    assert asked_name(octets[:-1]) is None


def test_records_that_are_too_many() -> None:
    """All are read anew whenever an octet arrives: what is sent so is meant to keep us busy."""
    octets = records(hello("example.org")[5:], 1)
    assert {asked_name(octets[:size]) for size in range(64 * 6 + 5)} == {None}
    assert {asked_name(octets[:size]) for size in range(64 * 6 + 5, len(octets))} == {""}


def test_a_name_that_is_not_ascii() -> None:
    octets = hello("xxxxxxxxxx").replace(b"xxxxxxxxxx", b"\xff" * 10)
    assert asked_name(octets) == "\xff" * 10


@pytest.mark.parametrize(
    "octets",
    [
        b"\x15\x03\x01\0\x02\x01\0",
        b"\x16\x03\x01\0\0",
        records(b"\x02\0\0\x01x", 99),
        b"\x16\x03\x01\x40\0\x01\x7f\xff\xff" + bytes(10),
        records(b"\x01\0\0\0", 99),
        records(b"\x01\0\0\x10" + bytes(16), 99),
        records(b"\x01\0\0\x28" + bytes(34) + b"\x09" + bytes(5), 99),
        records(hello("example.org")[5:].replace(b"\0\x0e\0\0\x0bexample.org", b"\0\x0e\x01\0\x0bexample.org"), 9999),
    ],
    ids=["alert", "empty", "another", "huge", "nothing", "short", "cut", "other-kind"],
)
def test_others_have_no_name(octets: bytes) -> None:
    assert asked_name(octets) == ""


@given(st.binary(max_size=200), st.binary(max_size=100))
def test_nothing_raises(octets: bytes, more: bytes) -> None:
    """And what is once known does not change when more arrives."""
    message = b"\x01" + len(octets).to_bytes(3) + octets
    for sent in (octets, message, records(message, 50)):
        name = asked_name(sent)
        assert name is None or asked_name(sent + more) == name

"""What holds for any octets: requests or an `HTTPError`, the same however they are cut, and in linear work."""

import re
from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.http11.outcome import cut, outcome
from wsgiraw.http11 import Limits, connection

LIMITS = Limits(head=200, request_line=40, fields=6, body=60, chunk_line=20, trailer=30, spool=16)
"""So low that generated octets reach them."""

FRAGMENTS = (
    b"GET / HTTP/1.1\r\n",
    b"POST /a?b HTTP/1.1\r\n",
    b"HEAD http://h/ HTTP/1.0\r\n",
    b"OPTIONS * HTTP/1.2\r\n",
    b"CONNECT a:1 HTTP/1.1\r\n",
    b"GET / HTTP/2.0\r\n",
    b"Host: a\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 61\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Expect: 100-continue\r\n",
    b"Cookie: a=b\r\n",
    b"Cookie: \xff\r\n",
    b"X_Y: z\r\n",
    b" folded\r\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b"\x00",
    b":",
    b" ",
    b"\t",
    b"5\r\nhello\r\n",
    b"5;a=b\r\n",
    b'3;c="\\""\r\nabc\r\n',
    b"0\r\n",
    b"0\r\n\r\n",
    b"T: railer\r\n",
    b"hello",
    b"\x16\x03\x01",
    b"x" * 25,
)
"""What heads and bodies are made of, and what they should not be made of."""

SPLICED = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=4)), max_size=14).map(b"".join)
WELL_BEGUN = SPLICED.map(lambda rest: b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + rest)
PIPELINED = SPLICED.map(lambda rest: b"PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" + rest)
OCTETS = st.one_of(st.binary(max_size=80), SPLICED, WELL_BEGUN, PIPELINED)

SIZE = 30_000
"""Octets of the heads whose scanning is counted."""


@settings(max_examples=700, deadline=None)
@given(octets=OCTETS, limits=st.sampled_from([LIMITS, Limits()]))
@example(octets=b"", limits=LIMITS)
@example(octets=b"\r\n\r\n\r\n", limits=LIMITS)
def test_any_octets(octets: bytes, limits: Limits) -> None:
    """Any octets give requests or an `HTTPError`, never another exception, and never a wait without end."""
    found = outcome([octets], limits)
    assert found.status in (None, 400, 413, 414, 417, 431, 501, 505)
    assert found.requests or found.status or len(octets) <= 2, "octets that are neither served nor refused"


@settings(max_examples=700, deadline=None)
@given(data=st.data(), octets=OCTETS, limits=st.sampled_from([LIMITS, Limits()]))
def test_any_cut(data: st.DataObject, octets: bytes, limits: Limits) -> None:
    """The result does not depend on how the octets were cut."""
    positions = data.draw(st.lists(st.integers(0, len(octets)), max_size=6))
    whole = outcome([octets], limits)
    assert outcome(cut(octets, *positions), limits) == whole
    assert outcome((bytes([octet]) for octet in octets), limits) == whole


@settings(max_examples=200, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 20), max_size=6),
    extension=st.sampled_from([b"", b";a", b" ; a = b", b';a="x;y"']),
    positions=st.lists(st.integers(0, 400), max_size=5),
)
def test_chunked_bodies(sizes: list[int], extension: bytes, positions: list[int]) -> None:
    """Whatever was chunked comes out as it went in, through memory and through a file, with the request behind it."""
    pieces = [bytes([65 + index]) * size for index, size in enumerate(sizes)]
    octets = b"POST /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    octets += b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces)
    octets += b"000\r\nTrailer: x\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n"
    found = outcome(cut(octets, *(position % len(octets) for position in positions)), Limits(spool=16))
    assert found.status is None
    assert [seen.target for seen in found.requests] == ["/first", "/second"]
    assert found.requests[0].body == b"".join(pieces)
    assert found.requests[0].fields["CONTENT_LENGTH"] == str(sum(sizes))


class Counting(bytearray):
    """A head in which every octet that is looked at counts."""

    looked_at = 0

    def find(self, sub: bytes, start: int = 0, end: int | None = None) -> int:  # type: ignore[override]
        """Find, and count the octets up to the result."""
        stop = len(self) if end is None else min(end, len(self))
        found = super().find(sub, start, stop)
        Counting.looked_at += (stop if found < 0 else found) - start
        return found


class CountingPattern:
    """A pattern whose every octet searched counts."""

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self._pattern = pattern

    def search(self, octets: bytes, begin: int = 0) -> re.Match[bytes] | None:
        """Search, and count what is behind `begin`."""
        Counting.looked_at += len(octets) - begin
        return self._pattern.search(octets, begin)


def _drips(octets: bytes, size: int) -> Iterable[bytes]:
    return (octets[begin : begin + size] for begin in range(0, len(octets), size))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 1460])
@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * (SIZE // 6),
        b"GET / HTTP/1.1\r\nX: " + b"y" * SIZE,
        b"GET /" + b"a" * 8000 + b" HTTP/1.1\r\nX: " + b"y" * SIZE,
    ],
    ids=["many fields", "a long field", "a long target"],
)
def test_head_scanning_is_linear(octets: bytes, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a head is dripped, each octet is looked at a few times, not once for each arrival."""
    monkeypatch.setattr(Counting, "looked_at", 0)
    monkeypatch.setattr(connection, "bytearray", Counting, raising=False)
    monkeypatch.setattr(connection, "_BARE", CountingPattern(connection._BARE))
    limits = Limits(fields=10**6)
    assert outcome(_drips(octets, size), limits).status == 400  # it never ends
    assert Counting.looked_at > len(octets), "nothing was counted"
    assert Counting.looked_at < 12 * len(octets)

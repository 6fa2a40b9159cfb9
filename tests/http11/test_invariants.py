"""What holds for any octets: requests or an `HTTPError`, the same however they are cut, and in linear work."""

import re
from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.http11.octets import LIMITS, OCTETS
from tests.http11.outcome import cut, outcome
from wsgiraw.http11 import Limits, connection, head

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


@settings(max_examples=300, deadline=None)
@given(octets=OCTETS)
def test_any_memory(octets: bytes) -> None:
    """The result does not depend on which names and lines have come before."""
    head._cgi_names.clear()
    head._lines.clear()
    first = outcome([octets], Limits())
    assert outcome([octets], Limits()) == first


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

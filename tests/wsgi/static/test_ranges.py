"""Parts of files: slices as Python's, 416, or the whole; and several of them in one body."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.wire import Reply, exchange, replies
from tests.wsgi.applications import asked
from tests.wsgi.static.site import LARGE, call, over_sockets
from wsgiraw import Server, Static
from wsgiraw.wsgi.static.ranges import parse_ranges

WHOLE = None


@pytest.mark.parametrize(
    ("text", "size", "slices"),
    [
        ("bytes=0-0", 10, [(0, 1)]),
        ("bytes=-1", 10, [(9, 1)]),
        ("bytes=5-", 10, [(5, 5)]),
        ("bytes=-100", 10, [(0, 10)]),
        ("bytes=0-100", 10, [(0, 10)]),
        ("bytes=9-9", 10, [(9, 1)]),
        ("bytes=10-", 10, []),
        ("bytes=10-20", 10, []),
        ("bytes=-0", 10, []),
        ("bytes=0-", 0, []),
        ("bytes=0-0", 0, []),
        ("bytes=-0", 0, []),
        ("bytes=-5", 0, WHOLE),
        ("bytes=0-0,-5", 0, WHOLE),
        ("BYTES=0-0", 10, [(0, 1)]),
        ("bytes = 0-0", 10, [(0, 1)]),
        ("bytes= 0-0 ,\t, 9-9", 10, [(0, 10)]),
        ("bytes=99999999999999999999999-", 10, []),
        ("bytes=0-99999999999999999999999", 10, [(0, 10)]),
        ("bytes=-99999999999999999999999", 10, [(0, 10)]),
        ("bytes=5-4", 10, WHOLE),
        ("bytes=0-0,5-4", 10, WHOLE),
        ("bytes", 10, WHOLE),
        ("bytes=", 10, WHOLE),
        ("bytes=,", 10, WHOLE),
        ("bytes=-", 10, WHOLE),
        ("bytes=a-b", 10, WHOLE),
        ("bytes=--1", 10, WHOLE),
        ("bytes=+1-2", 10, WHOLE),
        ("bytes=1-2-3", 10, WHOLE),
        ("bytes=\u0661-2", 10, WHOLE),
        ("items=0-0", 10, WHOLE),
        ("", 10, WHOLE),
        # Several: in the order asked for, together where they overlap or nearly touch; none that cannot be had.
        ("bytes=0-9,1000-1009", 5000, [(0, 10), (1000, 10)]),
        ("bytes=1000-1009,0-9", 5000, [(1000, 10), (0, 10)]),
        ("bytes=0-9,5-14", 5000, [(0, 15)]),
        ("bytes=0-9,0-9,0-9", 5000, [(0, 10)]),
        ("bytes=2000-2009,0-9,5-14", 5000, [(2000, 10), (0, 15)]),
        ("bytes=0-9,10-19", 5000, [(0, 20)]),
        ("bytes=0-9,138-147", 5000, [(0, 148)]),
        ("bytes=0-9,139-148", 5000, [(0, 10), (139, 10)]),
        ("bytes=0-9,5000-", 5000, [(0, 10)]),
        ("bytes=0-,0-,0-", 5000, [(0, 5000)]),
        ("bytes=" + ",".join(f"{n * 200}-{n * 200}" for n in range(32)), 10000, [(n * 200, 1) for n in range(32)]),
        ("bytes=" + ",".join(f"{n * 200}-{n * 200}" for n in range(33)), 10000, WHOLE),
        ("bytes=" + "," * 40, 10, WHOLE),
    ],
)
def test_ranges(text: str, size: int, slices: list[tuple[int, int]] | None) -> None:
    """Each kind there is."""
    assert parse_ranges(text, size) == slices


@given(
    st.lists(
        st.tuples(st.none() | st.integers(0, 600), st.none() | st.integers(0, 600)).filter(
            lambda ends: any(end is not None for end in ends)
        ),
        min_size=1,
        max_size=40,
    ),
    st.integers(0, 500),
)
def test_slices_are_pythons(ends: list[tuple[int | None, int | None]], size: int) -> None:
    """What is sent is what Python's slices have, each octet once; or nothing can be had; or it is the whole."""
    content = list(range(size))
    text = ",".join(f"{'' if first is None else first}-{'' if last is None else last}" for first, last in ends)
    slices = parse_ranges(f"bytes={text}", size)
    invalid = any(first is not None and last is not None and last < first for first, last in ends)
    wanted: set[int] = set()
    for first, last in ends:
        if first is None:
            assert last is not None
            wanted.update(content[-last:] if last else [])
        else:
            wanted.update(content[first:] if last is None else content[first : last + 1])
    if slices is None:
        assert invalid or len(ends) > 32 or (not size and any(first is None and last for first, last in ends))
        return
    assert not invalid
    given_out = [octet for offset, length in slices for octet in content[offset : offset + length]]
    assert len(given_out) == len(set(given_out)) == sum(length for _, length in slices)
    assert wanted <= set(given_out)
    assert bool(slices) == bool(wanted)
    if len(ends) == 1:
        assert set(given_out) == wanted


@given(st.text(st.sampled_from("bytes=0123456789-, \t\xff"), max_size=40).map("bytes={}".format), st.integers(0, 2000))
@example("bytes=-" + "9" * 5000, 3)
def test_anything(text: str, size: int) -> None:
    """Whatever it says, what is sent lies in the file, and no more of it than there is."""
    slices = parse_ranges(text, size) or []
    assert all(0 <= offset < offset + length <= size for offset, length in slices)
    assert sum(length for _, length in slices) <= size


def parts(answer: Reply) -> list[tuple[str, bytes]]:
    """Take a multipart/byteranges apart."""
    match = re.fullmatch("multipart/byteranges; boundary=([0-9a-f]{32})", answer.field("Content-Type") or "")
    assert match
    delimiter = f"--{match[1]}".encode()
    before, *inner, after = answer.body.split(delimiter)
    assert (before, after) == (b"\r\n", b"--\r\n")
    found = []
    for part in inner:
        head, _, body = part.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")[1:]
        assert lines[0] == "Content-Type: application/octet-stream"
        found.append((lines[1], body.removesuffix(b"\r\n")))
    return found


def test_one_part(server: Server) -> None:
    """From any offset, in memory or by sendfile, with what the whole would have."""
    size = len(LARGE)
    for text, start, stop in [
        ("0-0", 0, 1),
        ("-1", size - 1, size),
        ("5-", 5, size),
        ("100-40099", 100, 40100),
        (f"{size - 1}-", size - 1, size),
        (f"-{size * 2}", 0, size),
    ]:
        part = LARGE[start:stop]
        answer = over_sockets(server, "/large.bin", f"Range: bytes={text}")
        assert (answer.status, answer.body) == (206, part)
        assert answer.field("Content-Range") == f"bytes {start}-{stop - 1}/{size}"
        assert answer.field("Content-Type") == "application/octet-stream"
        assert answer.field("Content-Length") == str(len(part))
        assert answer.field("Accept-Ranges") == "bytes"


def test_several_parts(server: Server) -> None:
    """In one body, of the size that was announced; the connection goes on."""
    size = len(LARGE)
    octets = asked("GET", "/large.bin", "Range: bytes=100000-199999,-10,0-4") + asked("GET", "/small.txt")
    several, small = replies(exchange(server, octets))
    assert several.status == 206
    assert parts(several) == [
        (f"Content-Range: bytes 100000-199999/{size}", LARGE[100000:200000]),
        (f"Content-Range: bytes {size - 10}-{size - 1}/{size}", LARGE[-10:]),
        (f"Content-Range: bytes 0-4/{size}", LARGE[:5]),
    ]
    assert small.body == b"0123456789"


def test_no_end_where_the_file_became_shorter(tmp_path: Path) -> None:
    """Who goes by the boundaries sees that something is missing, and so does who counts."""
    (tmp_path / "a").write_bytes(LARGE)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/a", "HTTP_RANGE": "bytes=0-99999,150000-"}
    body = Static(tmp_path)(environ, lambda status, fields, exc_info=None: print)
    os.truncate(tmp_path / "a", 50_000)
    octets = b"".join(body)
    assert octets.endswith(LARGE[49_000:50_000])
    assert octets.count(b"Content-Range:") == 1
    body.close()  # type: ignore[attr-defined]


def test_none_to_be_had(static: Static) -> None:
    """416 says how large the file is (RFC 9110 §15.5.17)."""
    for target, size in [("/small.txt", 10), ("/empty.txt", 0)]:
        answer = call(static, target, HTTP_RANGE=f"bytes={size}-")
        assert answer.status == 416
        assert answer.field("Content-Range") == f"bytes */{size}"


def test_where_range_says_nothing(static: Static) -> None:
    """For HEAD (RFC 9110 §14.2), for 404, for a page that lists, for an empty file's last octets."""
    head = call(static, "/small.txt", "HEAD", HTTP_RANGE="bytes=0-0")
    assert (head.status, head.field("Content-Length"), head.field("Content-Range")) == (200, "10", None)
    assert call(static, "/not-there", HTTP_RANGE="bytes=0-0").status == 404
    assert call(static, "/empty.txt", HTTP_RANGE="bytes=-5").status == 200


def test_parts_of_what_is_compressed(static: Static) -> None:
    """They are parts of the octets that are sent (RFC 9110 §14.1.2)."""
    answer = call(static, "/app.js", HTTP_RANGE="bytes=1-4", HTTP_ACCEPT_ENCODING="gzip")
    assert (answer.status, answer.field("Content-Encoding"), answer.body) == (206, "gzip", b"gzip")

"""Octets for hypothesis: what clients send, well-formed, nearly so, and not at all."""

from hypothesis import strategies as st

from wsgiraw.http11 import Limits

__all__ = ["LIMITS", "OCTETS", "REQUESTS", "SPLICED"]

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


def _with_length(line: bytes, fields: bytes, body: bytes) -> bytes:
    return b"%b\r\nHost: a\r\n%bContent-Length: %d\r\n\r\n%b" % (line, fields, len(body), body)


def _in_chunks(line: bytes, fields: bytes, chunks: list[bytes]) -> bytes:
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"%b\r\nHost: a\r\n%bTransfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n" % (line, fields, body)


_LINES = st.builds(
    b"%b /%d HTTP/1.1".__mod__,
    st.tuples(st.sampled_from([b"GET", b"POST", b"PUT", b"OPTIONS"]), st.integers(0, 9)),
)
_FIELDS = st.sampled_from([b"", b"", b"", b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"X: y\r\n"])
_BODIES = st.binary(max_size=12) | st.just(b"GET / HTTP/1.1\r\n\r\n")

REQUESTS = st.one_of(
    st.builds(b"%b\r\nHost: a\r\n%b\r\n".__mod__, st.tuples(_LINES, _FIELDS)),
    st.builds(_with_length, _LINES, _FIELDS, _BODIES),
    st.builds(_in_chunks, _LINES, _FIELDS, st.lists(_BODIES.filter(bool), max_size=3)),
)
"""One well-formed request."""

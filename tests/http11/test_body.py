"""Bodies: where the octets are kept, and the framing faults that depend on more than the corpus sends."""

from io import BytesIO
from tempfile import TemporaryFile
from typing import BinaryIO

import pytest

from tests.http11.outcome import outcome
from wsgiraw.errors import HTTPError
from wsgiraw.http11 import Connection, Limits, Spool, State

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"


def test_spool_stays_in_memory() -> None:
    """Up to its size nothing is opened."""
    spool = Spool(5, _no_file)
    spool.write(b"abc")
    spool.write(b"de")
    assert spool.finish().read() == b"abcde"
    spool.close()


def test_spool_moves_to_a_file() -> None:
    """Beyond its size one file takes everything, in order."""
    opened: list[BinaryIO] = []

    def open_file() -> BinaryIO:
        opened.append(TemporaryFile())  # noqa: SIM115  # the spool closes it
        return opened[-1]

    spool = Spool(5, open_file)
    for piece in (b"abc", b"def", b"ghi"):
        spool.write(piece)
    assert spool.size == 9
    assert [spool.finish()] == opened
    assert opened[0].read() == b"abcdefghi"
    spool.close()
    assert opened[0].closed


@pytest.mark.parametrize(
    "octets",
    [HEAD + b"Content-Length: 9\r\n\r\n123456789", HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n"],
)
def test_no_room_on_disk(octets: bytes) -> None:
    """A disk that takes no more is 507, and the connection ends."""

    def open_file() -> BinaryIO:
        raise OSError(28, "No space left on device")

    connection = Connection(Limits(spool=4), open_file)
    connection.receive(octets)
    with pytest.raises(HTTPError) as raised:
        connection.next_request()
    assert raised.value.status == 507
    assert connection.state is State.CLOSED


def test_a_body_given_up_is_closed() -> None:
    """A connection that is closed while a body arrives gives its file back."""
    opened: list[BinaryIO] = []

    def open_file() -> BinaryIO:
        opened.append(BytesIO())
        return opened[-1]

    connection = Connection(Limits(spool=1), open_file)
    connection.receive(HEAD + b"Content-Length: 9\r\n\r\n1234")
    assert connection.next_request() is None
    assert connection.state is State.BODY
    connection.close()
    assert opened[0].closed
    assert not connection.has_input


def test_body_limit_counts_chunks_together() -> None:
    """Chunks that are small each are refused when their sum is not (413), before the octets are kept."""
    chunks = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" * 3 + b"0\r\n\r\n"
    assert outcome([chunks], Limits(body=15)).status is None
    assert outcome([chunks], Limits(body=14)).status == 413


def test_octets_that_arrive_while_others_wait() -> None:
    """Octets that arrive before those that are here have been used come behind them."""
    connection = Connection(Limits(), _no_file)
    connection.receive(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HT")
    request = connection.next_request()
    assert request is not None
    assert request.target == "/1"
    assert connection.has_input
    connection.receive(b"TP/1.1\r\nHost: a\r\n\r\n")
    request = connection.next_request()
    assert request is not None
    assert request.target == "/2"
    assert not connection.has_input
    assert not connection.ended


def _no_file() -> BinaryIO:
    raise AssertionError("a file is opened for what fits into memory")

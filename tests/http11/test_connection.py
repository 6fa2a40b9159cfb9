"""What `Connection` does between requests, and with requests that never become whole."""

import tempfile
from io import BytesIO
from typing import BinaryIO, cast

import pytest

from wsgiraw.errors import HTTPError
from wsgiraw.http11 import Connection, Limits, State


def connection(**limits: int) -> Connection:
    return Connection(Limits(**limits), lambda: cast(BinaryIO, tempfile.TemporaryFile()))


@pytest.mark.parametrize("octets", [b"\r", b"\r\n"])
def test_an_empty_line_begins_no_request(octets: bytes) -> None:
    idle = connection()
    idle.receive(octets)
    assert idle.next_request() is None
    assert idle.state is State.IDLE
    idle.receive(b"")
    assert idle.next_request() is None
    assert idle.state is State.CLOSED


def test_a_request_behind_an_empty_line_that_came_first() -> None:
    late = connection()
    for octets in (b"\r", b"\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"):
        assert late.next_request() is None
        late.receive(octets)
    request = late.next_request()
    assert request is not None
    assert request.method == "GET"


@pytest.mark.parametrize(
    ("octets", "to_head"),
    [(b"HEAD / HTTP/1.1\n", True), (b"GET / HTTP/1.1\n", False), (b"HEAD / HTTP/1.1\r\n\r\n", True)],
)
def test_a_refused_head_is_known_as_such(octets: bytes, to_head: bool) -> None:
    refused = connection()
    refused.receive(octets)
    with pytest.raises(HTTPError) as caught:
        refused.next_request()
    assert caught.value.to_head is to_head


def test_a_refused_body_of_a_head() -> None:
    refused = connection()
    refused.receive(b"HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert refused.next_request() is None
    refused.receive(b"x\r\n")
    with pytest.raises(HTTPError) as caught:
        refused.next_request()
    assert caught.value.to_head


def test_a_full_disk_does_not_outlive_its_request() -> None:
    class Full(BytesIO):
        def close(self) -> None:
            super().close()
            raise OSError(28, "No space left on device")

    full = Connection(Limits(spool=1), Full)
    full.receive(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
    assert full.next_request() is None
    full.close()
    assert full.state is State.CLOSED


def test_behind_a_refusal_nothing_is_read() -> None:
    """What follows could be anything: a request that somebody has smuggled."""
    refused = connection()
    refused.receive(b"?\r\n\r\n")
    with pytest.raises(HTTPError):
        refused.next_request()
    refused.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert refused.next_request() is None
    assert refused.state is State.CLOSED

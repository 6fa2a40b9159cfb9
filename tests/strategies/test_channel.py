"""What a channel sends, over a socket that holds little: nothing is lost, doubled or out of order."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsgiraw.errors import ApplicationError, ClientDisconnected
from wsgiraw.http11 import Connection, Limits
from wsgiraw.strategies.channel import Channel
from wsgiraw.strategies.transmit import transmit
from wsgiraw.wsgi import FileSegment, open_spool_file

BIG = bytes(range(256)) * 4096  # 1 MiB, more than the socket holds


@pytest.fixture
def pair() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32 * 1024)
    channel = Channel(ours, Connection(Limits(), open_spool_file), {}, lambda _: None)
    yield channel, theirs
    channel.close(socket.socket.close)
    theirs.close()


@pytest.fixture
def segment(tmp_path: Path) -> Iterator[FileSegment]:
    """The second half of a file with `BIG` in it."""
    path = tmp_path / "file"
    path.write_bytes(BIG)
    with path.open("rb") as file:
        yield FileSegment(file.fileno(), len(BIG) // 2, len(BIG) // 2)


def receive(channel: Channel, theirs: socket.socket, count: int) -> bytes:
    """Read until the channel has nothing left, `count` octets in all."""
    received = b""
    while len(received) < count:
        received += theirs.recv(count)
        channel.flush()
    assert channel.flush()
    assert channel.unsent is None
    assert not channel.gathered
    return received


def test_octets_behind_gathered_ones(pair: tuple[Channel, socket.socket]) -> None:
    channel, theirs = pair
    channel.gathered += [b"one", BIG, b"two"]
    channel.send(b"three")
    assert channel.unsent is not None
    expected = b"one" + BIG + b"twothree"
    assert receive(channel, theirs, len(expected)) == expected


@pytest.mark.parametrize("gathered", [[b"one", b"two"], [b"one", BIG, b"two"], []])
def test_a_file_behind_gathered_octets(
    pair: tuple[Channel, socket.socket], segment: FileSegment, gathered: list[bytes]
) -> None:
    channel, theirs = pair
    channel.gathered += gathered
    channel.send(segment)
    expected = b"".join(gathered) + BIG[len(BIG) // 2 :]
    assert receive(channel, theirs, len(expected)) == expected


def test_gathered_octets_alone(pair: tuple[Channel, socket.socket]) -> None:
    channel, theirs = pair
    channel.gathered += [BIG, BIG]
    assert not channel.flush()
    assert receive(channel, theirs, 2 * len(BIG)) == 2 * BIG


def test_writing_sends_what_the_socket_takes_and_nothing_past_what_waits(pair: tuple[Channel, socket.socket]) -> None:
    channel, theirs = pair
    channel.gathered.append(b"before")
    assert channel.write_now(b"written") == 7
    taken = channel.write_now(BIG)
    assert 0 < taken < len(BIG)
    channel.gathered.append(b"waits")
    assert channel.write_now(b"later") == 0
    expected = b"beforewritten" + BIG[:taken] + b"waits"
    assert receive(channel, theirs, len(expected)) == expected


def test_writing_to_a_client_that_has_gone(pair: tuple[Channel, socket.socket]) -> None:
    channel, theirs = pair
    theirs.close()
    with pytest.raises(ClientDisconnected):
        channel.write_now(b"x")


def test_a_full_socket_takes_nothing(pair: tuple[Channel, socket.socket], segment: FileSegment) -> None:
    channel, _ = pair
    while transmit(channel.socket, b"x" * 1000) is None:
        pass
    assert transmit(channel.socket, b"more") == b"more"
    assert transmit(channel.socket, segment) == segment


def test_a_file_that_has_become_shorter(pair: tuple[Channel, socket.socket], segment: FileSegment) -> None:
    channel, _ = pair
    with pytest.raises(ApplicationError, match="the file became shorter while it was sent"):
        transmit(channel.socket, segment._replace(offset=len(BIG)))

"""The first chapter, with `nc` as in the tutorial and over sockets: printer, greeter, chat."""

import socket
import subprocess

import pytest

from tests.demos.conftest import Demo, Start, rest, typed
from tests.strategies.waiting import eventually
from tests.wire import PATIENCE


def test_printer_prints_who_connects_and_ends(start: Start, nc: str) -> None:
    demo = start("printer")
    assert typed(nc, demo, b"") == b""
    assert demo.wait() == 0
    demo.says(r"\nconnected: 127\.0\.0\.1 port [0-9]+\n$")


@pytest.fixture(scope="module")
def greeter(start: Start) -> Demo:
    return start("greeter")


def test_greeter(greeter: Demo, nc: str) -> None:
    assert typed(nc, greeter, b"World\n") == b"What's your name? Hello World\n"


@pytest.mark.parametrize(
    ("pieces", "name"),
    [
        ([b"Ada Love", b"lace\r\n"], b"Ada Lovelace"),
        ([b"a", b"b", b"\n"], b"ab"),
        ([b"first\nsecond\n"], b"first"),
        ([b"\xff\x00\n"], b"\xff\x00"),
        ([b"x" * 300_000, b"\n"], b"x" * 300_000),
        ([b"\n"], b""),
    ],
)
def test_greeter_takes_a_name_in_any_pieces_and_of_any_length(greeter: Demo, pieces: list[bytes], name: bytes) -> None:
    with greeter.connect() as client:
        for piece in pieces:
            client.sendall(piece)
        assert rest(client) == b"What's your name? Hello " + name + b"\n"


def test_greeter_without_a_line_end(greeter: Demo) -> None:
    with greeter.connect() as client:
        client.sendall(b"Eve")
        client.shutdown(socket.SHUT_WR)
        assert rest(client) == b"What's your name? Hello Eve\n"


def test_greeter_survives_a_reset(greeter: Demo) -> None:
    with greeter.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    greeter.says("lost 127.0.0.1 port")


def test_chat_carries_both_ways_and_each_can_end_first(start: Start, nc: str) -> None:
    demo = start("chat")
    assert demo.process.stdin is not None
    with subprocess.Popen(
        [nc, "-N", "127.0.0.1", str(demo.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdin.write(b"hello here\n")
        other.stdin.flush()
        demo.says("hello here\n")
        demo.process.stdin.write(b"hello there\n")
        demo.process.stdin.close()
        assert other.stdout.readline() == b"hello there\n"
        other.stdin.write(b"still here\n")
        other.stdin.close()
        demo.says("still here\n")
        assert other.wait(PATIENCE) == 0
    assert demo.wait() == 0


def test_chat_says_that_the_other_is_lost(start: Start) -> None:
    demo = start("chat")
    with demo.connect() as client:
        demo.says("is here")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    eventually(lambda: demo.process.poll() == 0)
    demo.says("lost: Connection reset by peer")

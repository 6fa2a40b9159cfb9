"""Lines for people: short, harmless to terminals, and coloured where that is wanted."""

import io
import os

import pytest

from wsgiraw.trace.excerpt import excerpt
from wsgiraw.trace.output import Output
from wsgiraw.trace.text import rendered

SENT = {"event": "sent", "pid": 1, "connection": 2, "request": 3, "ms": 4.5, "thread": "t", "state": "loop"}


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (b"", {"text": ""}),
        ("é\r\n\té".encode(), {"text": "é\r\n\té"}),
        ("abcé".encode()[:-1], {"text": r"abc\xc3"}),
        (b"X: caf\xe9\r\n", {"text": "X: caf\\xe9\r\n"}),
        (b"a\r\n\0\1xy\r\nb", {"text": "a\r\n", "more": 7, "like": "..xy..b"}),
        (b"\xff\xfe\xfd\xfc", {"text": "", "more": 4, "like": "...."}),
        (b"a" * 5000, {"text": "a" * 4096, "more": 904, "like": "a" * 32}),
        (b"a\n" * 2100, {"text": "a\n" * 2048, "more": 104, "like": "a." * 16}),
    ],
)
def test_excerpts(octets: bytes, shown: dict[str, object]) -> None:
    assert excerpt(octets) == shown


def test_what_a_client_sends_does_nothing_to_the_terminal() -> None:
    text = rendered({**SENT, "octets": 5, "text": "\x1b[2J\u202e\r\nb"}, colour=False)
    assert text == (
        "1 2.3     4.500 ms > 5 octets  [t, loop]\n"
        "1 2.3              >   \\x1b[2J\\u202e\n"
        "1 2.3              >   b\n"
    )  # fmt: skip


def test_long_lines_are_cut() -> None:
    assert rendered({**SENT, "octets": 900, "text": "x" * 900}, colour=False).endswith("xx[660 more]\n")


def test_colours() -> None:
    assert rendered({**SENT, "octets": 0}, colour=True).startswith("\x1b[2m1 2.3     4.500 ms \x1b[0m\x1b[32m> ")
    failed = {**SENT, "event": "failed", "error": "E: \n"}
    assert "\x1b[31m= failed: E: \\n" in rendered(failed, colour=True)


def test_a_stream_without_a_descriptor_and_one_that_is_gone() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="\n")
    output = Output(stream)
    output.write("é\n")
    assert stream.buffer.getvalue() == b"\\xe9\n"  # type: ignore[attr-defined]
    output.close()
    output.write("late\n")
    assert stream.buffer.getvalue() == b"\\xe9\n"  # type: ignore[attr-defined]


def test_processes_that_write_into_a_full_pipe_do_not_mix_their_lines() -> None:
    lines, size = 10, 100_000  # a pipe holds 64 KiB: a write waits, and others could come between
    reader, writer = os.pipe()
    children = []
    for mark in "ab":
        if (pid := os.fork()) == 0:
            with open(writer, "w") as stream:  # noqa: PTH123 - it is a descriptor
                output = Output(stream)
                for _ in range(lines):
                    output.write(mark * size + "\n")
            os._exit(0)
        children.append(pid)
    os.close(writer)
    with open(reader) as stream:  # noqa: PTH123
        received = stream.read().splitlines()
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0]
    assert sorted(received) == ["a" * size] * lines + ["b" * size] * lines

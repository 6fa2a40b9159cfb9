"""HTTP by hand: hello, http10, inspect, echo, calculator."""

import re
import shutil
import socket
import subprocess
from contextlib import ExitStack

import pytest

from tests.apps.conftest import absent
from tests.demos.conftest import Demo, Start, rest, typed
from tests.hostile.kernel import queued
from tests.strategies.waiting import eventually
from tests.wire import PATIENCE
from wsgiraw.demos.hello import part

HELLO = b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n"
GET = b"GET / HTTP/1.0\r\n\r\n"


def reset(client: socket.socket) -> None:
    """Close, and tell the other end that nothing of it is wanted."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()


def lost(demo: Demo) -> bool:
    """Whether a client that resets its connection is told of, and harms no other."""
    reset(demo.connect())
    return bool(demo.says("lost "))


@pytest.fixture(scope="module")
def hello(start: Start) -> Demo:
    demo = start("hello")
    demo.says(rf"\nServing HTTP on port {demo.port} \.\.\.\n")
    return demo


def test_hello_needs_one_line_and_no_host(hello: Demo) -> None:
    """As in telnet: Enter is pressed once, and the connection stays open until the server closes it."""
    assert hello.ask(b"GET /hello HTTP/1.1\r\n") == HELLO
    hello.says("\nGET /hello HTTP/1.1\r?\n")


@pytest.mark.parametrize("garbage", [b"", b"\n", b"\x00\xff\xfe", b"Is anybody there?\n", b"x" * 100_000])
def test_hello_answers_garbage_likewise(hello: Demo, nc: str, garbage: bytes) -> None:
    assert typed(nc, hello, garbage) == HELLO


def test_what_is_still_coming_is_read() -> None:
    """Or the kernel would reset the connection, and the answer might be lost."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"Host: here\r\n\r\n")
        theirs.shutdown(socket.SHUT_WR)
        assert part(ours) == b"Host: here\r\n\r\n"
        assert theirs.recv(1) == b""


def test_hello_loses_a_client(hello: Demo) -> None:
    assert lost(hello)


def test_http10_closes_after_each_response_and_queues_all_others(start: Start, nc: str) -> None:
    demo = start("http10")
    octets = typed(nc, demo, b"GET / HTTP/1.1\n\n")
    assert re.fullmatch(
        rb"HTTP/1\.0 200 OK\r\nDate: [^\r]+ GMT\r\nContent-Type: text/plain; charset=utf-8\r\n"
        rb"Content-Length: 21\r\n\r\nHello over HTTP/1\.0\.\n",
        octets,
    )
    demo.says(r"port [0-9]+: b'GET / HTTP/1\.1'")
    assert lost(demo)
    with ExitStack() as stack:
        first = stack.enter_context(demo.connect())
        eventually(lambda: queued(demo.port) == 0)
        others = [stack.enter_context(socket.socket()) for _ in range(5)]
        for client in others:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", demo.port))
        eventually(lambda: queued(demo.port) >= 3)
        # One is served, three are queued, and two are neither: not refused either.
        assert [client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) for client in others] == [0] * 5
        assert queued(demo.port) == 3
        first.sendall(GET)
        assert rest(first).startswith(b"HTTP/1.0 200 OK\r\n")
        first.close()
        for client in others[:3]:
            client.settimeout(PATIENCE)
            client.sendall(GET)
            assert rest(client).startswith(b"HTTP/1.0 200 OK\r\n")
            client.close()


@pytest.fixture(scope="module")
def inspector(start: Start) -> Demo:
    return start("inspect")


def test_inspect_shows_a_request_raw_and_parsed(inspector: Demo) -> None:
    octets = inspector.ask(b"POST /form?a=%20 HTTP/1.1\r\nHost: here\r\nX: 1: 2 \r\nContent-Length: 3\r\n\r\na\nb")
    assert octets.partition(b"\r\n\r\n")[2].decode() == (
        "< b'POST /form?a=%20 HTTP/1.1\\r\\n'\n< b'Host: here\\r\\n'\n< b'X: 1: 2 \\r\\n'\n"
        "< b'Content-Length: 3\\r\\n'\n< b'\\r\\n'\n< b'a\\n'\n< b'b'\n"
        "method:  'POST'\ntarget:  '/form?a=%20'\nversion: 'HTTP/1.1'\n"
        "field:   'Host': 'here'\nfield:   'X': '1: 2'\nfield:   'Content-Length': '3'\nbody:    b'a\\nb'\n"
    )
    inspector.says("target:  '/form")


def test_inspect_waits_for_the_body(inspector: Demo) -> None:
    with inspector.connect() as client:
        client.sendall(b"PUT /f HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 200000\r\n\r\n")
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"y" * 100_000)
        client.sendall(b"z" * 100_000)
        assert (b"body:    b'" + b"y" * 100_000 + b"z" * 100_000 + b"'\n") in rest(client)


def test_inspect_shows_garbage_too(inspector: Demo, nc: str) -> None:
    octets = typed(nc, inspector, b"\xff\n:\nContent-Length: -1\n")
    assert b"method:  '\xc3\xbf'\ntarget:  ''\nversion: ''\nfield:   '': ''\n" in octets
    assert lost(inspector)


def test_echo(start: Start, nc: str) -> None:
    demo = start("echo")
    assert typed(nc, demo, b"GET /a/../b?c=d&e#f HTTP/1.1\n\n").endswith(b"\r\n\r\n/a/../b?c=d&e#f\n")
    assert demo.ask(b"GET /\xff HTTP/1.1\r\n\r\n").endswith(b"\r\n\r\n/\xff\n")
    demo.says(r"asked for /a/\.\./b")
    assert lost(demo)


def test_calculator(start: Start) -> None:
    demo = start("calculator")

    def answer(octets: bytes) -> tuple[str, str]:
        head, _, body = demo.ask(octets).decode().partition("\r\n\r\n")
        return head.partition("\r\n")[0], body

    def posted(document: bytes) -> tuple[str, str]:
        return answer(b"POST /calc HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(document), document))

    assert answer(b"GET /add/2/3 HTTP/1.1\r\n\r\n") == ("HTTP/1.0 200 OK", "5\n")
    assert answer(b"GET /add/0.1/0.2?x HTTP/1.1\r\n\r\n") == ("HTTP/1.0 200 OK", "0.3\n")
    assert answer(b"GET /divide/1/0 HTTP/1.1\r\n\r\n") == (
        "HTTP/1.0 400 Bad Request",
        "Division by zero is undefined.\n",
    )
    assert answer(b"GET /power/2/3 HTTP/1.1\r\n\r\n")[0] == "HTTP/1.0 404 Not Found"
    assert answer(b"nonsense\r\n\r\n")[0] == "HTTP/1.0 404 Not Found"
    assert answer(b"GET /calc HTTP/1.1\r\n\r\n")[0] == "HTTP/1.0 405 Method Not Allowed"
    assert posted(b'{"op": "add", "arg1": 2, "arg2": 4}') == ("HTTP/1.0 200 OK", '{"result": 6}\n')
    assert posted(b"{") == ("HTTP/1.0 400 Bad Request", "The body is not JSON (line 1, column 2).\n")
    assert lost(demo)


def test_the_command_to_try_it_with_works_as_it_stands(start: Start) -> None:
    shutil.which("curl") or absent("curl")
    command = start("calculator").says("; try: (.*)\n")[1]
    done = subprocess.run(["sh", "-c", f"{command} -s"], capture_output=True, text=True, check=True)
    assert done.stdout == "5\n"

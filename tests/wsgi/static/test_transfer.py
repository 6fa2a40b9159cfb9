"""How files go out: on each strategy, over other servers, large ones, and on from where it broke off."""

import os
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from shutil import which
from threading import Thread
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from tests.apps.conftest import absent
from tests.wire import connect, exchange, replies
from tests.wsgi.applications import asked
from tests.wsgi.static.site import LARGE, call
from wsgiraw import Server, Static
from wsgiraw.wsgi import FileWrapper
from wsgiraw.wsgi.file_wrapper import FileSegment, FileSlice

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

BIG = 200_000_000


def test_strategies(serve: Callable[..., Server], static: Static) -> None:
    """The same on each: small and large, whole and in parts, one after the other on one connection."""
    octets = b"".join(
        [
            asked("GET", "/small.txt"),
            asked("GET", "/large.bin"),
            asked("HEAD", "/large.bin"),
            asked("GET", "/large.bin", "Range: bytes=1000-99999"),
            asked("GET", "/large.bin", "Range: bytes=0-0,-70000"),
            asked("GET", "/empty.txt"),
        ]
    )
    answers = replies(exchange(serve(static), octets), "GET", "GET", "HEAD")
    assert [answer.status for answer in answers] == [200, 200, 200, 206, 206, 200]
    bodies = [answer.body for answer in answers]
    assert bodies[:4] == [b"0123456789", LARGE, b"", LARGE[1000:100000]]
    assert LARGE[-70000:] in bodies[4]


def test_files_are_handed_over(folder: Path) -> None:
    """To our own server as segments, without another system call; parts too."""
    static = Static(folder)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/large.bin", "wsgi.file_wrapper": FileWrapper}
    for asked_for, offset, size in [({}, 0, len(LARGE)), ({"HTTP_RANGE": "bytes=5-"}, 5, len(LARGE) - 5)]:
        body = static({**environ, **asked_for}, lambda *response: None)  # type: ignore[arg-type]
        assert isinstance(body, FileSlice)
        assert body.segment()[1:] == (offset, size)
        assert isinstance(body.segment(), FileSegment)
        body.close()
        body.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(body.segment().descriptor)


def test_a_file_that_becomes_shorter(tmp_path: Path) -> None:
    """Iterating ends where the file ends."""
    path = tmp_path / "file"
    path.write_bytes(LARGE)
    descriptor = os.open(path, os.O_RDONLY)
    body = FileSlice(descriptor, 10, len(LARGE) - 10)
    os.truncate(path, 100)
    assert b"".join(body) == LARGE[10:100]
    body.close()


@pytest.mark.parametrize("wrapped", [True, False])
def test_under_another_server(folder: Path, wrapped: bool) -> None:
    """Whole files by its own wrapper, if it has one; parts in pieces."""

    class Silent(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    static = Static(folder)

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not wrapped:
            del environ["wsgi.file_wrapper"]
        return static(environ, start_response)

    with make_server("127.0.0.1", 0, application, handler_class=Silent) as other:
        Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            url = f"http://127.0.0.1:{other.server_port}/large.bin"
            for ranges, expected in [({}, LARGE), ({"Range": "bytes=9-50008"}, LARGE[9:50009])]:
                with urlopen(Request(url, headers=ranges)) as answer:
                    assert answer.read() == expected
        finally:
            other.shutdown()


def memory(peak: bool = False) -> int:
    """Return how much of us is in memory, in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM" if peak else "VmRSS"))


def test_flat_memory(tmp_path: Path) -> None:
    """A large file passes without staying: it may be larger than all memory there is."""
    (tmp_path / "big").touch()
    os.truncate(tmp_path / "big", BIG)  # holes take no room
    with Server(Static(tmp_path), port=0) as server:
        buffer = bytearray(256 * 1024)
        with connect(server) as client:
            client.sendall(asked("GET", "/big", "Connection: close"))
            received = client.recv_into(buffer)
            before = greatest = memory()
            while count := client.recv_into(buffer):
                received += count
                greatest = max(greatest, memory()) if received % 10 == 0 else greatest
    assert received > BIG
    assert max(greatest, memory()) - before < 20_000


def test_a_download_goes_on(folder: Path, server: Server, tmp_path: Path) -> None:
    """`curl -C -` asks for what is missing, and gets that."""
    if which("curl") is None:
        absent("curl")
    partial = tmp_path / "large.bin"
    partial.write_bytes(LARGE[:100_000])
    command = ["curl", "-sS", "-f", "-C", "-", "-w", "%{http_code} %{size_download}", "-o", str(partial)]
    done = subprocess.run([*command, f"{server.url}/large.bin"], capture_output=True, text=True, check=True)
    assert done.stdout == f"206 {len(LARGE) - 100_000}"
    assert partial.read_bytes() == LARGE


def test_call_sees_the_same(static: Static, server: Server) -> None:
    """What is asked without sockets in other tests is what goes over them."""
    (answer,) = replies(exchange(server, asked("GET", "/docs/")))
    direct = call(static, "/docs/")
    assert answer.body == direct.body
    assert set(direct.fields) <= set(answer.fields)

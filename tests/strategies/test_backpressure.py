"""Large responses to clients that do not read: nothing piles up in memory, others are served, and no octet is wrong."""

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Serve
from tests.process import Process, running
from tests.strategies.applications import GET, read_reply
from tests.wire import connect

SIZE = 50_000_000
BLOCK = bytes(range(256)) * 250  # 64,000 octets


@cache
def body() -> bytes:
    """Return the body; not before it is needed, for it is large, and others are tested in the same process."""
    return (BLOCK * (SIZE // len(BLOCK) + 1))[:SIZE]


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    """And not for longer."""
    yield
    body.cache_clear()


SOURCE = """
import re
from tests.strategies.test_backpressure import WAYS

def memory(name):
    return int(re.search(name + r":\\s+(\\d+) kB", open("/proc/self/status").read())[1])

def app(environ, start_response):
    way = environ["PATH_INFO"][1:]
    if way in WAYS:
        return WAYS[way](environ, start_response)
    start_response("200 OK", [])
    return [b"%d %d" % (memory("VmRSS"), memory("VmHWM"))]
"""


def whole(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """One piece, as large as the body."""
    start_response("200 OK", [("Content-Length", str(SIZE))])
    return [body()]


def pieces(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    """A generator without a Content-Length: chunks."""
    start_response("200 OK", [])
    for at in range(0, SIZE, len(BLOCK)):
        yield bytes(bytearray(body()[at : at + len(BLOCK)]))  # a new one each time


def file(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A file, by sendfile."""
    path = Path("body")
    if not path.exists():
        path.write_bytes(body())
    start_response("200 OK", [])
    return environ["wsgi.file_wrapper"](path.open("rb"))  # type: ignore[no-any-return]


def written(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """PEP 3333's write(): what the client has not taken waits on disk."""
    write = start_response("200 OK", [])
    for at in range(0, SIZE, len(BLOCK)):
        write(body()[at : at + len(BLOCK)])
    return []


WAYS = {"whole": whole, "pieces": pieces, "file": file, "written": written}


def ask(process: Process, port: int) -> tuple[int, int]:
    """Return how much memory the server uses now and has used at most, bytes."""
    with process.connect(port) as client, client.makefile("rb") as stream:
        client.sendall(GET)
        now, peak = read_reply(stream).body.split()
    return int(now) * 1024, int(peak) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("way", WAYS)
def test_a_client_that_does_not_read(tmp_path: Path, way: str) -> None:
    (tmp_path / "big.py").write_text(SOURCE)
    with running(tmp_path, "big:app", "--port=0", "--strategy=eventloop") as process:
        port = process.port()
        request = GET.replace(b"/", f"/{way}".encode(), 1)
        with process.connect(port) as first, first.makefile("rb") as stream:
            first.sendall(request)  # once through, so that all memory that is needed anyway has been used
            assert read_reply(stream).body == body()
        _, before = ask(process, port)
        with process.connect(port) as slow, slow.makefile("rb") as stream:
            slow.sendall(request)
            start = stream.read(1)
            for _ in range(20):
                _, peak = ask(process, port)
            assert peak - before < 4_000_000
            assert start == b"H"
            assert read_reply(Rest(start, stream)).body == body()  # type: ignore[arg-type]
        _, peak = ask(process, port)
        assert peak - before < 4_000_000
        assert process.stop() == 0


class Rest:
    """A stream of which the first octets have been read already."""

    def __init__(self, start: bytes, stream: Any) -> None:
        self._start, self._stream = start, stream

    def readline(self) -> bytes:
        start, self._start = self._start, b""
        return start + self._stream.readline()  # type: ignore[no-any-return]

    def read(self, size: int) -> bytes:
        return self._stream.read(size)  # type: ignore[no-any-return]


@pytest.mark.parametrize("way", ["whole", "pieces", "file", "written"])
def test_each_octet_arrives(serve: Serve, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice, pipelined: responses stay in order and do not mix."""
    monkeypatch.chdir(tmp_path)
    server = serve(WAYS[way])
    with connect(server) as client, client.makefile("rb") as stream:
        client.sendall(GET + GET)
        for _ in range(2):
            assert read_reply(stream).body == body()

"""Bodies, and what `write()` leaves over, that find no room on disk: one client is told so, all others are served."""

import resource
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.hostile.clients import ask, dial, post
from tests.process import Process, running
from tests.strategies.applications import GET, read_reply
from tests.supervision.load.conftest import Tool
from tests.supervision.load.processes import children
from tests.wire import read_all, replies
from tests.wsgi.applications import read_until_reset

ROOM = 64 * 1024
"""Octets that the disk holds."""

UNSHARE = ("unshare", "--mount")
MOUNT = 'mount -t tmpfs -o size=64k tmpfs spool && exec "$@"'
ARGUMENTS = ("tests.hostile.site:app", "--port=0")


@contextmanager
def full_disk(folder: Path, *arguments: str) -> Iterator[Process]:
    """A server whose temporary files are in a file system of their own, which is tiny."""
    spool = folder / "spool"
    spool.mkdir()
    through = (*UNSHARE, "sh", "-c", MOUNT, "sh")
    with running(folder, *ARGUMENTS, *arguments, through=through, TMPDIR=str(spool)) as process:
        yield process


def in_chunks(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    pieces = [body[start : start + 5000] for start in range(0, len(body), 5000)]
    return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def status_of(port: int, octets: bytes) -> int:
    with dial(port) as client, client.makefile("rb") as stream:
        client.sendall(octets)
        return read_reply(stream).status


@pytest.mark.parametrize(("workers", "spool_bytes"), [(1, ROOM + 1), (2, 1000)])
def test_a_body_that_finds_no_room_gets_507(
    strategy: str, workers: int, spool_bytes: int, folder: Path, needs: Tool
) -> None:
    """And no other client notices; when it has gone there is room again. What goes to disk first is little, or much."""
    needs(*UNSHARE, "sh", "-c", "mount -t tmpfs tmpfs /mnt")
    options = (f"--strategy={strategy}", f"--workers={workers}", f"--spool-bytes={spool_bytes}")
    with full_disk(folder, *options) as process:
        port = process.port()
        with dial(port) as client, client.makefile("rb") as stream:
            for octets in (post("/digest", bytes(2 * ROOM)), in_chunks("/digest", bytes(2 * ROOM))):
                assert status_of(port, octets) == 507
                client.sendall(GET)
                assert read_reply(stream).status == 200
                assert status_of(port, post("/digest", bytes(ROOM // 2))) == 200
        assert process.stop() == 0
    assert [line for line in process.lines if "Traceback" in line] == []


def test_bodies_that_fill_it_together(strategy: str, folder: Path, needs: Tool) -> None:
    """Whoever comes first has the room, and is answered."""
    needs(*UNSHARE, "sh", "-c", "mount -t tmpfs tmpfs /mnt")
    with full_disk(folder, f"--strategy={strategy}", "--spool-bytes=1000") as process, ExitStack() as stack:
        port = process.port()
        size = ROOM // 4
        clients = [stack.enter_context(dial(port)) for _ in range(20)]
        octets = post("/digest", bytes(size))
        for client in clients:
            client.sendall(octets[:-1])
        assert status_of(port, GET) == 200
        statuses = []
        for client in clients:
            client.sendall(b"\0")
            with client.makefile("rb") as stream:
                statuses.append(read_reply(stream).status)
        assert set(statuses) == {200, 507}
        assert status_of(port, octets) == 200


def test_what_an_application_writes_to_a_slow_client_finds_no_room(strategy: str, folder: Path, needs: Tool) -> None:
    """Its response cannot go on, and must not look whole."""
    needs(*UNSHARE, "sh", "-c", "mount -t tmpfs tmpfs /mnt")
    with full_disk(folder, f"--strategy={strategy}", "--spool-bytes=1000") as process:
        port = process.port()
        with dial(port, narrow=True) as client:
            client.sendall(ask("/written"))
            read_until_reset(client)
        assert status_of(port, GET) == 200
        assert process.stop() == 0
    assert [line for line in process.lines if "No space left on device" in line]


@pytest.mark.skipif(sys.platform != "linux", reason="sets a limit of another process")
def test_a_file_that_may_not_grow_gets_507(strategy: str, folder: Path) -> None:
    """RLIMIT_FSIZE, such as systemd's LimitFSIZE=: no signal ends the process."""
    with running(folder, *ARGUMENTS, f"--strategy={strategy}", f"--spool-bytes={ROOM + 1}") as process:
        port = process.port()
        (serving,) = children(process.pid)
        resource.prlimit(serving, resource.RLIMIT_FSIZE, (ROOM, resource.RLIM_INFINITY))
        with dial(port) as client:
            client.sendall(post("/digest", bytes(3 * ROOM)))
            assert [reply.status for reply in replies(read_all(client))] == [507]
        assert status_of(port, post("/digest", bytes(ROOM // 2))) == 200
        assert process.stop() == 0

"""A demo as a process of its own, on a port that the kernel picks; ended by Ctrl-C, which must leave no traceback."""

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.apps.conftest import absent
from tests.process import environment
from tests.strategies.waiting import eventually
from tests.wire import PATIENCE

ROOT = Path(__file__).resolve().parent.parent.parent

# Where tests run in the background, a shell has SIGINT ignored: Ctrl-C works all the same, as in a terminal.
_PROGRAM = "import sys; from wsgiraw.cli import main; sys.exit(main(['demo', *sys.argv[1:]]))"


class Demo:
    """A demo that runs. What it prints, errors too, is in a file."""

    def __init__(self, process: "subprocess.Popen[bytes]", output: Path) -> None:
        self.process = process
        self.output = output

    @property
    def pid(self) -> int:
        """The process."""
        return self.process.pid

    def said(self) -> str:
        """Return what it has printed so far."""
        return self.output.read_text("utf-8")

    def says(self, pattern: str) -> "re.Match[str]":
        """Wait until it has printed what a pattern matches."""
        eventually(lambda: re.search(pattern, self.said()) or self.process.poll() is not None)
        found = re.search(pattern, self.said())
        assert found, f"{pattern!r} is not in {self.said()!r}"
        return found

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.says(r"listens on 127\.0\.0\.1 port ([0-9]+); try: ")[1])

    def connect(self) -> socket.socket:
        """Return a connection to it."""
        client = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def ask(self, octets: bytes) -> bytes:
        """Send octets on a new connection; return all that comes until it closes."""
        with self.connect() as client:
            client.sendall(octets)
            return rest(client)

    def wait(self) -> int:
        """Wait for its end; return the exit code."""
        return self.process.wait(PATIENCE)


def rest(client: socket.socket) -> bytes:
    """Return all that comes until the other end closes."""
    return b"".join(iter(lambda: client.recv(65536), b""))


Start = Callable[..., Demo]


@contextmanager
def running(output: Path, *arguments: str) -> Iterator[Demo]:
    """Run a demo; end it as Ctrl-C does."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", _PROGRAM, arguments[0], "--port", "0", *arguments[1:]],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    with process:
        demo = Demo(process, output)
        try:
            yield demo
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                assert demo.wait() == 128 + signal.SIGINT
            assert not re.search("KeyboardInterrupt|Warning|Exception ignored", demo.said()), demo.said()
        finally:
            process.kill()


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start demos: `start("fork", "--seconds", "0") -> Demo`. They run until the module's tests are done."""
    folder = tmp_path_factory.mktemp("demos")
    with ExitStack() as stack:

        def started(*arguments: str) -> Demo:
            demo = stack.enter_context(running(folder / f"{len(list(folder.iterdir()))}.txt", *arguments))
            assert demo.port
            return demo

        yield started


@pytest.fixture(scope="module")
def nc() -> str:
    """The netcat that the tutorials use: OpenBSD's."""
    program = shutil.which("nc.openbsd") or shutil.which("nc") or absent("netcat-openbsd")
    if "OpenBSD netcat" not in subprocess.run([program, "-h"], capture_output=True, text=True).stderr:
        absent("netcat-openbsd")
    return program


def typed(program: str, demo: Demo, octets: bytes) -> bytes:
    """Type something into `nc HOST PORT`, and end with Ctrl-D; return what it shows."""
    command = [program, "-N", "127.0.0.1", str(demo.port)]
    return subprocess.run(command, input=octets, capture_output=True, timeout=PATIENCE, check=True).stdout

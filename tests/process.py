"""The real command line as a process of its own: started, watched and always ended."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

from tests.wire import PATIENCE

__all__ = ["SITE", "Process", "command", "curl", "environment", "running", "write_site"]

_ROOT = Path(__file__).parent.parent
SITE = "site_of_ours:app"
"""What `write_site` writes."""

_SOURCE = """
def app(environ, start_response):
    if environ["PATH_INFO"] == "/gate":
        with open("gate") as gate:
            gate.read()
    if environ["PATH_INFO"] == "/fail":
        environ["wsgi.errors"].write("to wsgi.errors\\n")
        raise LookupError("in vain")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"from %s\\n" % (environ["REMOTE_ADDR"] or "a unix socket").encode()]
"""

_SETTINGS = ("PORT", "WEB_CONCURRENCY", "NO_COLOR", "FORCE_COLOR", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


def command(*arguments: str) -> list[str]:
    """Return what to execute for `wsgiraw ARGUMENTS`."""
    return [sys.executable, "-X", "dev", "-W", "error", "-m", "wsgiraw", *arguments]


def environment(**more: str) -> dict[str, str]:
    """Return the environment without what configures wsgiraw, and with the package importable."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WSGIRAW_")}
    for name in _SETTINGS:
        inherited.pop(name, None)
    return {**inherited, "PYTHONPATH": str(_ROOT), **more}


class Process:
    """A wsgiraw that has been started. Its standard error is read line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.popen = process
        self.lines: list[str] = []
        """What has been read of standard error."""
        self._queue: Queue[str | None] = Queue()
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            self._queue.put(line)
        self._queue.put(None)

    def line(self, pattern: str) -> "re.Match[str]":
        """Wait for a line of standard error in which `pattern` is found."""
        while True:
            try:
                line = self._queue.get(timeout=PATIENCE)
            except Empty:
                raise AssertionError(f"{pattern!r} is not in {self.lines}") from None
            assert line is not None, f"it ended without saying {pattern!r}: {self.lines}"
            self.lines.append(line)
            if match := re.search(pattern, line):
                return match

    def signal(self, number: int) -> None:
        """Send a signal."""
        self.popen.send_signal(number)

    def wait(self) -> int:
        """Return the exit code, and have all of standard error in `lines`."""
        code = self.popen.wait(PATIENCE)
        self._reader.join()
        while (line := self._queue.get()) is not None:
            self.lines.append(line)
        return code

    def stop(self) -> int:
        """Send SIGTERM; return the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    @property
    def pid(self) -> int:
        """The process."""
        return self.popen.pid

    def port(self) -> int:
        """Wait for the banner; return the port of its first address."""
        return int(self.line(r"http://[^ ]+:([0-9]+)")[1])

    def connect(self, port: int) -> socket.socket:
        """Return a connection to a port of the process on IPv4 loopback."""
        return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


@contextmanager
def running(
    folder: Path,
    *arguments: str,
    pass_fds: tuple[int, ...] = (),
    group: bool = False,
    through: Sequence[str] = (),
    program: str = "",
    **more: str,
) -> Iterator[Process]:
    """Run `wsgiraw ARGUMENTS` in a folder, if wished in a process group of its own; `more` goes to its environment.

    A command that goes `through` another is executed by that in the same process; a Python `program` is run instead of
    `wsgiraw`. It is killed at the end if it still runs.
    """
    popen = subprocess.Popen(
        [*through, *([sys.executable, program] if program else command(*arguments))],
        cwd=folder,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=pass_fds,
        start_new_session=group,
    )
    with popen:
        process = Process(popen)
        try:
            yield process
        finally:
            if popen.poll() is None:
                popen.kill()
            popen.wait()
            process._reader.join()


def write_site(folder: Path) -> None:
    """Put an application into a folder; for /gate it waits until the named pipe `gate` has been written and closed."""
    (folder / "site_of_ours.py").write_text(_SOURCE)


def curl(*arguments: str) -> str:
    """Ask with curl; return the last line of the body of a 200."""
    done = subprocess.run(
        ["curl", "-sS", "-i", "--max-time", str(PATIENCE), *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("HTTP/1.1 200 OK\n")
    return done.stdout.splitlines()[-1]

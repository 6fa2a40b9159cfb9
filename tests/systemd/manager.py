"""What systemd does for a service, as far as tests need it: a socket for notifications, and passing sockets."""

import shutil
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from tests.apps.conftest import absent
from tests.process import Process, environment, running
from tests.wire import PATIENCE

__all__ = ["APPLICATION", "Heard", "NotifySocket", "activated", "passing"]

APPLICATION = """
import os
import subprocess

def app(environ, start_response):
    if environ["PATH_INFO"] == "/gate":
        with open("gate") as gate:
            gate.read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/variables":
        return [subprocess.run(["env"], capture_output=True).stdout]
    return [f"{os.getpid()} {environ['SERVER_PORT']}".encode()]
"""
"""Answers with its process; for /gate it waits until the named pipe `gate` has been written and closed."""

_PASS = """
import os
import sys

os.environ["LISTEN_PID"] = os.environ["WATCHDOG_PID"] = str(os.getpid())
os.dup2(int(sys.argv[1]), 3)
os.execvp(sys.argv[2], sys.argv[2:])
"""

_CREDENTIALS = struct.Struct("3i")


class Heard(NamedTuple):
    """A message, and the process that sent it."""

    pid: int
    fields: dict[str, str]

    @property
    def keeps_alive(self) -> bool:
        """Whether it is a keep-alive ping."""
        return self.fields == {"WATCHDOG": "1"}


class NotifySocket:
    """NOTIFY_SOCKET, as systemd listens on it: who sent a message stands beside it."""

    def __init__(self, name: str) -> None:
        """Listen on a path, or on an abstract name that begins with @."""
        self.name = name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)

    def next(self, patience: float = PATIENCE) -> Heard:
        """Return the next message. Raises `TimeoutError`."""
        self._socket.settimeout(max(patience, 0.0001))
        octets, ancillary, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
        pid = _CREDENTIALS.unpack(ancillary[0][2])[0]
        return Heard(pid, dict(line.split("=", 1) for line in octets.decode().split("\n")))

    def hear(self, *names: str) -> Heard:
        """Return the next message that is no ping, whose fields are these."""
        while (heard := self.next()).keeps_alive:
            pass
        assert tuple(heard.fields) == names
        return heard

    def ping(self) -> Heard:
        """Return the next message, which is a ping."""
        heard = self.next()
        assert heard.keeps_alive, heard
        return heard

    def rest(self, seconds: float = 0.0) -> list[Heard]:
        """Return all that is there, or comes within some time."""
        end, found = time.monotonic() + seconds, []
        while True:
            try:
                found.append(self.next(end - time.monotonic()))
            except TimeoutError:
                return found

    def close(self) -> None:
        """Listen no longer."""
        self._socket.close()


@contextmanager
def activated(folder: Path, listen: str, *arguments: str, **more: str) -> Iterator[Process]:
    """Have systemd-socket-activate listen as its own arguments say, and run `wsgiraw` for the first client."""
    if shutil.which("systemd-socket-activate") is None:
        absent("systemd-socket-activate")
    variables = environment(**more)
    names = ("PYTHONPATH", *more)
    through = ["systemd-socket-activate", *listen.split(), *(f"--setenv={name}={variables[name]}" for name in names)]
    with running(folder, *arguments, through=through) as process:
        for _ in range(listen.count("-l ")):
            process.line("Listening on")
        yield process


@contextmanager
def passing(
    folder: Path, passed: socket.socket | IO[bytes], *arguments: str, program: str = "", **more: str
) -> Iterator[Process]:
    """Run `wsgiraw`, or a program, with a descriptor of ours as systemd would pass it, and with WATCHDOG_PID."""
    number = passed.fileno()
    with running(
        folder,
        *arguments,
        pass_fds=(number,),
        through=(sys.executable, "-c", _PASS, str(number)),
        program=program,
        LISTEN_FDS="1",
        **more,
    ) as process:
        yield process

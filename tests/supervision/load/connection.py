"""A client's connection: connecting, one request and its answer, which is checked to the last octet."""

import asyncio
import os
import socket
import time
from dataclasses import dataclass
from typing import Self

from tests.supervision.load.site import REPEATED
from tests.wire import PATIENCE, replies

__all__ = ["Address", "Answer", "Connection", "Lost", "ask"]

Address = tuple[str, int] | str
"""Host and port, or the path of a unix socket."""


class Lost(Exception):
    """A request that was not answered as it should have been."""

    def __init__(self, what: str, *, silent: bool = False) -> None:
        super().__init__(what)
        self.silent = silent
        """The connection ended before an octet of the answer."""


@dataclass(frozen=True)
class Answer:
    pid: int
    version: str
    stays: bool
    """The server keeps the connection."""


class Connection:
    """A client's connection."""

    def __init__(self, sock: socket.socket, began: float) -> None:
        self.socket = sock
        self.began = began
        self.answered = 0
        self.silence = 0.0
        """Seconds between the last two requests at the most, as the server saw it."""
        self._asked = time.monotonic()

    @classmethod
    async def to(cls, address: Address) -> Self:
        """Connect. Raises `Lost`."""
        sock = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        sock.setblocking(False)
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.get_running_loop().sock_connect(sock, address)
        except TimeoutError:
            sock.close()
            raise Lost("connecting: no answer in time") from None
        except OSError as error:
            sock.close()
            raise Lost(f"connecting: {os.strerror(error.errno or 0)}") from error  # asyncio has words of its own
        except asyncio.CancelledError:
            sock.close()
            raise
        return cls(sock, began)

    @property
    def port(self) -> int:
        """The client's."""
        name = self.socket.getsockname()
        return int(name[1]) if isinstance(name, tuple) else 0

    def ended(self) -> bool:
        """Whether the server has ended the connection in an orderly way. Raises `Lost` for any other event."""
        try:
            octets = self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError as error:
            raise Lost(f"while idle: {error.strerror}") from error
        if octets:
            raise Lost("octets that nobody asked for")
        return True

    async def ask(self, path: str, *, keep: bool) -> Answer:
        """Send a request, return the answer; one on a connection that is not kept is read to its end. Raises `Lost`."""
        loop = asyncio.get_running_loop()
        received = b""
        try:
            async with asyncio.timeout(PATIENCE):
                last = "" if keep else "Connection: close\r\n"
                before, self._asked = self._asked, time.monotonic()
                await loop.sock_sendall(self.socket, f"GET {path} HTTP/1.1\r\nHost: a\r\n{last}\r\n".encode())
                self.silence = time.monotonic() - before
                while octets := await loop.sock_recv(self.socket, 65536):
                    received += octets
                    if keep and _complete(received):
                        break
        except TimeoutError:
            raise Lost(f"no answer in time, but {received!r}") from None
        except OSError as error:
            raise Lost(f"{error.strerror} after {received!r}", silent=not received) from error
        if not received:
            raise Lost("ended without an answer", silent=True)
        answer = _check(received, path)
        self.answered += 1
        return answer

    def close(self) -> None:
        """Close."""
        self.socket.close()


def _complete(received: bytes) -> bool:
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return False
    length = head.lower().partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0]
    return not length or len(body) >= int(length)  # without a length it is wrong, as `_check` will say


def _check(received: bytes, path: str) -> Answer:
    try:
        (reply,) = replies(received)
        assert reply.status == 200, f"status {reply.status}"
        assert reply.field("content-length") == str(len(reply.body)), "an unexpected length"
        line, _, _ = reply.body.partition(b"\n")
        pid, version, asked = line.decode().split(" ")
        assert asked == path, "an answer to another request"
        assert reply.body == (line + b"\n") * REPEATED, "wrong octets"
    except (AssertionError, ValueError) as error:
        raise Lost(f"{error}: {received!r}") from error
    return Answer(int(pid), version, (reply.field("connection") or "").lower() != "close")


async def ask(address: Address, path: str) -> Answer:
    """Ask once on a new connection. Raises `Lost`."""
    connection = await Connection.to(address)
    try:
        return await connection.ask(path, keep=False)
    finally:
        connection.close()

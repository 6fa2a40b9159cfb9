"""A client that sends octets as they are and takes answers apart without mending them. It waits, but never for ever."""

import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from wsgiraw.compare.behaviour.subject import NoAnswer, Subject
from wsgiraw.compare.loopback import HOST

__all__ = ["Answer", "Client", "ask", "post"]

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: |\r\n)")
_FIELD = re.compile(rb"([^:\s]+):[ \t]*(.*?)[ \t]*")


def ask(target: str, *lines: str, method: str = "GET") -> bytes:
    """Return a request without a body."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {HOST}", *lines, "", ""]).encode("ascii")


def post(target: str, body: bytes, *lines: str) -> bytes:
    """Return a request with a body, whose framing is among the field lines."""
    return ask(target, *lines, method="POST") + body


@dataclass(frozen=True, slots=True)
class Answer:
    """One response as it was on the wire; `whole` unless the connection ended in it."""

    status: int
    head: bytes
    fields: dict[str, str]
    """Names in lower case; the last of several stands."""
    body: bytes
    whole: bool

    @property
    def last(self) -> bool:
        """Whether the server has said that it will close (RFC 9112 §9.3)."""
        connection = self.fields.get("connection", "").lower()
        return connection == "close" or (self.head.startswith(b"HTTP/1.0") and connection != "keep-alive")


class Client:
    """A connection. Whatever it says and hears has to happen before `patience` is over, counted from the last call."""

    def __init__(self, subject: Subject) -> None:
        self.patience = subject.patience
        self.received = b""
        """What has come and is not yet part of an answer."""
        self.ended = False
        """The server has closed, or reset."""
        self._socket = socket.socket()
        self._socket.settimeout(self.patience)
        try:
            self._socket.connect((HOST, subject.port))
        except ConnectionRefusedError:
            self._socket.close()
            raise NoAnswer("refuses connections") from None
        except OSError:
            self._socket.close()
            raise NoAnswer(f"accepts nobody within {self.patience:g} s") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    def send(self, octets: bytes) -> None:
        """Send; whether the server still wants it shows in the answer."""
        self._socket.settimeout(self.patience)
        with suppress(OSError):  # it may have refused already what came before
            self._socket.sendall(octets)

    def end_sending(self) -> None:
        """Close this side of the connection, and go on hearing."""
        with suppress(OSError):  # the server has closed both
            self._socket.shutdown(socket.SHUT_WR)

    def hear(self, enough: Callable[[bytes], bool], seconds: float | None = None) -> bool:
        """Wait until that is enough, the server ends the connection, or the time is over; return whether it is."""
        deadline = time.monotonic() + (self.patience if seconds is None else seconds)
        while not enough(self.received) and not self.ended:
            left = deadline - time.monotonic()
            self._socket.settimeout(max(left, 0.001))  # what has come in time is heard, though it is late now
            try:
                octets = self._socket.recv(65536)
            except TimeoutError:
                break
            except OSError:
                octets = b""
            self.received += octets
            self.ended = not octets
            if left <= 0:
                break
        return enough(self.received)

    def closes(self) -> bool:
        """Wait until the server ends the connection; return whether it does."""
        self.hear(lambda octets: False)
        return self.ended

    def answer(self, method: str = "GET", seconds: float | None = None) -> Answer:
        """Wait for the final answer to a request, take it out of what was received, return it. Raises NoAnswer."""
        while True:
            self.hear(lambda octets: _split(octets, method, False) is not None, seconds)
            if (found := _split(self.received, method, self.ended)) is None:
                raise NoAnswer(self._silence(seconds))
            answer, self.received = found
            if answer.status >= 200:
                return answer

    def _silence(self, seconds: float | None) -> str:
        if self.received and not self.received.startswith(b"HTTP/1.") and b"\n" in self.received:
            return "answers without a status line"
        if self.ended:
            return "closes in the middle of its answer" if self.received else "closes without an answer"
        waited = self.patience if seconds is None else seconds
        return f"{'half an answer' if self.received else 'no answer'} within {waited:g} s"


def _split(octets: bytes, method: str, ended: bool) -> tuple[Answer, bytes] | None:
    """Return the first answer and what follows it; None where there is none yet. At the end its body may be cut."""
    head, separator, rest = octets.partition(b"\r\n\r\n")
    status = _STATUS.match(head + b"\r\n")
    if not separator or not status:
        return None
    code = int(status[1])
    fields = {}
    for line in head.split(b"\r\n")[1:]:
        if field := _FIELD.fullmatch(line):
            fields[field[1].decode("latin-1").lower()] = field[2].decode("latin-1")
    if method == "HEAD" or code < 200 or code in (204, 304):  # RFC 9112 §6.3: no body, whatever the fields say
        body, whole, length = b"", True, 0
    elif "chunked" in fields.get("transfer-encoding", "").lower():
        body, whole, length = _chunks(rest)
    elif fields.get("content-length", "").isdecimal():
        length = int(fields["content-length"])
        body, whole = rest[:length], len(rest) >= length
    else:
        body, whole, length = rest, ended, len(rest)
    if not (whole or ended):
        return None
    return Answer(code, head, fields, body, whole), rest[length:]


def _chunks(octets: bytes) -> tuple[bytes, bool, int]:
    """Return a chunked body, whether it is whole, and its length on the wire; trailers are not expected."""
    body, place = b"", 0
    while (end := octets.find(b"\r\n", place)) >= 0:
        try:
            size = int(octets[place:end].partition(b";")[0], 16)
        except ValueError:
            break
        chunk = octets[end + 2 : end + 2 + size]
        if len(octets) < end + 4 + size:
            return body + chunk, False, len(octets)
        body, place = body + chunk, end + 4 + size
        if not size:
            return body, True, place
    return body, False, len(octets)

"""Connections that ask: opening them, sending a request, reading its answer. What closed and open loop share.

Nothing blocks but the wait of a loop, which polls `epoll` and receives itself; what arrives goes to `take`, unless it
equals `connection.known` octet by octet, which is the whole answer then. What went wrong is said in a word or two and
not counted here; a connection that may not be used again is closed.
"""

import errno
import os
import select
import socket
import stat
from collections.abc import Callable

from wsgiraw.compare.generator.answers import ROOM, Answer, Malformed, Reading
from wsgiraw.compare.generator.job import Job
from wsgiraw.compare.loopback import HOST

__all__ = ["BACK_OFF", "EVENTS", "Abandoned", "Connection", "Crowd", "Watch"]

EVENTS = 256
"""Descriptors that a poll may report at once."""
BACK_OFF = 0.01
"""Seconds until a connection that failed before its first right answer is opened again."""

_FAULTS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.EADDRNOTAVAIL: "no free port",
    errno.EMFILE: "too many open files",
}


class Abandoned(Exception):
    """The process that wanted to know has gone."""


class Connection:
    """One client, connected or not, and the request that is on its way."""

    __slots__ = (
        "answer",
        "began",
        "known",
        "matched",
        "matching",
        "reading",
        "recv",
        "room",
        "send",
        "socket",
        "unsent",
        "used",
    )

    recv: Callable[[int], bytes]
    send: Callable[[bytes], int]

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.answer: Answer | None = None
        """To the request that is on its way; None: there is none."""
        self.known: bytes | None = None
        """What is right if it arrives at once; None while an answer has arrived in part."""
        self.matching = b""
        self.matched = 0
        """So many octets have arrived, and are the first of `matching`."""
        self.reading: Reading | None = None
        """What has arrived otherwise."""
        self.room = ROOM
        """For the loop: how much to receive at once."""
        self.unsent = b""
        self.used = False
        """It has brought a right answer since it was opened."""
        self.began = 0
        """For the loop: when this request was meant to be sent."""


class Watch:
    """Standard input among the connections: nothing comes but its end, which says that the parent has gone."""

    room = 1

    def recv(self, _size: int) -> bytes:
        """Raise Abandoned."""
        raise Abandoned


class Crowd:
    """The connections of one run."""

    def __init__(self, job: Job) -> None:
        self.opened = 0
        """How many connections requests were sent on."""
        self.epoll = select.epoll()
        self.by_descriptor: dict[int, Connection | Watch] = {}
        self._address = (HOST, job.port)
        self._next = job.turn().__next__

    def watch_input(self) -> None:
        """Raise Abandoned once standard input ends, if it is what a parent holds open: a pipe or a socket."""
        mode = os.fstat(0).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            self.by_descriptor[0] = Watch()
            self.epoll.register(0, select.EPOLLIN)

    def open(self, connection: Connection) -> str:
        """Begin to connect; return what is wrong, "" where nothing is (yet)."""
        try:
            client = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError as error:
            return _fault(error)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = client.connect_ex(self._address)
        if code not in (0, errno.EINPROGRESS):
            client.close()
            return _fault(OSError(code, os.strerror(code)))
        connection.socket, connection.send, connection.recv = client, client.send, client.recv
        connection.used = False
        self.by_descriptor[client.fileno()] = connection
        self.epoll.register(client, select.EPOLLIN)
        return ""

    def ask(self, connection: Connection) -> str:
        """Send the next request, on a new connection where there is none; return what is wrong with that."""
        octets, answer = self._next()
        if connection.socket is None:
            fault = self.open(connection)
            if fault == "" and (fault := self.transmit(connection, octets)) == "":
                self.opened += 1
                connection.answer, connection.room = answer, answer.room
            return fault
        connection.answer, connection.known, connection.room = answer, answer.known, answer.room
        return self.transmit(connection, octets)

    def transmit(self, connection: Connection, octets: bytes) -> str:
        """Send octets, the rest once there is room; return what is wrong with the connection, which is then closed."""
        try:
            sent = connection.send(octets)
        except BlockingIOError:  # it is not connected yet, or there is no room
            sent = 0
        except OSError as error:
            self.close(connection)
            return _fault(error)
        assert connection.socket is not None
        if sent < len(octets):
            if not connection.unsent:
                self.epoll.modify(connection.socket, select.EPOLLIN | select.EPOLLOUT)
            connection.unsent = octets[sent:]
            connection.known = None  # an answer that comes before the request has gone is for `take` to judge
        elif connection.unsent:
            self.epoll.modify(connection.socket, select.EPOLLIN)
            connection.unsent = b""
        return ""

    def take(self, connection: Connection, data: bytes) -> str | None:
        """Take what was received, b"" for the end; return what is wrong with the answer, "" for nothing.

        None: some of it is missing. The connection is closed if the answer ends it, or is none.
        """
        answer = connection.answer
        assert answer is not None
        try:
            if connection.reading is None and data:
                if self._matches(connection, answer, data):
                    if connection.matched < len(connection.matching):
                        return None
                    persists = connection.matching is not answer.closing and not connection.unsent
                    return self._settled(connection, "", persists)
                connection.reading = Reading(answer.expected.to_head)
                connection.reading.feed(connection.matching[: connection.matched])
                connection.known = None
            reading = connection.reading
            if not data:
                if reading is None or not reading.ended():
                    return self._settled(connection, "closed", False)
            elif reading is None or not reading.feed(data):
                return None
            return self._settled(connection, answer.judge(reading), reading.persists and not connection.unsent)
        except Malformed:
            return self._settled(connection, "malformed", False)

    def _matches(self, connection: Connection, answer: Answer, data: bytes) -> bool:
        """Return whether all that has arrived is how a known answer begins: so many octets of `matching`."""
        if connection.matched == 0:
            for known in (answer.known, answer.closing):
                if known is not None and known.startswith(data):
                    connection.known, connection.matching, connection.matched = None, known, len(data)
                    return True
            return False
        if not connection.matching.startswith(data, connection.matched):
            return False
        connection.matched += len(data)
        return True

    def trouble(self, connection: Connection, error: OSError) -> str | None:
        """Return what an error of recv or send means for the request, as `take` does."""
        if isinstance(error, BlockingIOError):  # not readable, but writable
            if connection.unsent and (fault := self.transmit(connection, connection.unsent)):
                return fault
            return None
        self.close(connection)
        return _fault(error)

    def _settled(self, connection: Connection, fault: str, persists: bool) -> str:
        if not persists:
            self.close(connection)
        connection.answer = connection.reading = None
        connection.matching, connection.matched = b"", 0
        if not fault:
            connection.used = True
        return fault

    def close(self, connection: Connection) -> None:
        """Leave, and forget the request."""
        if connection.socket is not None:
            del self.by_descriptor[connection.socket.fileno()]
            connection.socket.close()  # and out of the epoll with it
        connection.socket = connection.answer = connection.reading = connection.known = None
        connection.matching, connection.matched, connection.unsent = b"", 0, b""

    def leave(self) -> None:
        """Close all."""
        for connection in list(self.by_descriptor.values()):
            if isinstance(connection, Connection):
                self.close(connection)
        self.epoll.close()


def _fault(error: OSError) -> str:
    return _FAULTS.get(error.errno or 0) or errno.errorcode.get(error.errno or 0, "failed").lower()

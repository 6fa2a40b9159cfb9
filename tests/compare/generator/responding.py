"""Servers for a generator to meet: each connection is treated in a thread, in whatever way the test wants."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.wire import PATIENCE
from wsgiraw.compare.generator import Question
from wsgiraw.compare.generator.closed import closed_loop
from wsgiraw.compare.generator.connections import Crowd
from wsgiraw.compare.generator.job import Job
from wsgiraw.compare.generator.open import open_loop
from wsgiraw.compare.results import Latency, Load

__all__ = ["GET", "RIGHT", "Treatment", "always", "latency_of", "load_of", "reset", "responding"]

GET = b"GET /add/2/3 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
RIGHT = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n5"
Treatment = Callable[[socket.socket], None]


@contextmanager
def responding(treat: Treatment, backlog: int = 64) -> Iterator[int]:
    """Yield the port of a server; it closes a connection once it has been treated."""
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []

    def one(connection: socket.socket) -> None:
        with connection, suppress(ConnectionError):
            treat(connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            connections.append(connection)
            threads.append(threading.Thread(target=one, args=(connection,)))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as listener:
        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for connection in connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()


def always(*pieces: bytes, times: int = 1 << 30) -> Treatment:
    """Answer each request, so many times, by these pieces: each is sent once the one before has arrived."""

    def treat(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received = b""
        for _ in range(times):
            while b"\r\n\r\n" not in received:
                if not (data := connection.recv(65536)):
                    return
                received += data
            received = received.partition(b"\r\n\r\n")[2]
            for piece in pieces:
                connection.sendall(piece)

    return treat


def reset(connection: socket.socket) -> None:
    """Reset a connection once it has asked."""
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def load_of(port: int, *questions: Question, connections: int = 2, seconds: float = 0.05, patience: float = 20) -> Load:
    """Run a closed loop in this process, until it has seen anything at all."""
    while True:
        job = Job(port=port, questions=questions, connections=connections, seconds=seconds, patience=patience)
        crowd = Crowd(job)
        try:
            load = closed_loop(job, crowd)
        finally:
            crowd.leave()
        if load.answered or load.errors:
            return load


def latency_of(job: Job) -> Latency:
    """Run an open loop in this process."""
    crowd = Crowd(job)
    try:
        return open_loop(job, crowd)
    finally:
        crowd.leave()

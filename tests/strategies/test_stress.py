"""Thousands of randomly slow requests over hundreds of connections; every octet of every response is checked."""

import random
import tempfile
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import BinaryIO

import pytest

from tests.strategies.applications import read_reply
from tests.wire import connect
from wsgiraw import Server

CLIENTS, CONNECTIONS, ROUNDS = 16, 16, 15
"""Threads, connections of each, and times that each asks on all of its connections before it reads the answers."""

LARGEST = 1_000_000
OCTETS = random.Random(0).randbytes(2 * LARGEST)

KINDS = ("list", "generator", "iterator", "file", "write", "echo")


def content(seed: int) -> bytes:
    """Return the body that a request for this number has to get: mostly small, at times larger than the window."""
    chosen = random.Random(seed)
    size = chosen.choice([0, 1, 10, 100, 1000, 10_000, LARGEST])
    start = chosen.randrange(LARGEST)
    return OCTETS[start : start + size]


def pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 50_000):
        yield body[start : start + 50_000]


def application(environ, start_response) -> Iterable[bytes]:  # type: ignore[no-untyped-def]
    """Answer /KIND/SEED after a while that depends on the seed; most are quick."""
    _, kind, seed = environ["PATH_INFO"].split("/")
    chosen = random.Random(-int(seed))
    threading.Event().wait(chosen.choice([0, 0, 0, 0, 0, 0, 0.001, 0.002, 0.01]))
    body = content(int(seed))
    if kind == "echo":
        body = environ["wsgi.input"].read()
    write = start_response("200 OK", [("Content-Type", "application/octet-stream")])
    if kind == "generator":
        return pieces(body)
    if kind == "iterator":
        return iter(list(pieces(body)))
    if kind == "file":
        file = tempfile.TemporaryFile()  # noqa: SIM115  # the server closes it
        file.write(body)
        file.seek(0)
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](file)
        return wrapped
    if kind == "write":
        for piece in pieces(body):
            write(piece)
        return []
    return [body]


def request(kind: str, seed: int) -> bytes:
    head = f"{'POST' if kind == 'echo' else 'GET'} /{kind}/{seed} HTTP/1.1\r\nHost: a\r\n"
    if kind != "echo":
        return head.encode() + b"\r\n"
    body = content(seed)
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def run(server: Server, number: int) -> int:
    """Ask, now and then twice at a time, and return how many answers were right."""
    chosen = random.Random(number)
    right = 0
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in range(CONNECTIONS)]
        streams: list[BinaryIO] = [stack.enter_context(client.makefile("rb")) for client in clients]
        for _ in range(ROUNDS):
            asked = []
            for client, stream in zip(clients, streams, strict=True):
                batch = [(chosen.choice(KINDS), chosen.getrandbits(32)) for _ in range(chosen.choice([1, 1, 1, 2]))]
                batch = batch[: 1 if any(kind == "echo" for kind, _ in batch) else 2]
                client.sendall(b"".join(request(kind, seed) for kind, seed in batch))
                asked.append((stream, batch))
            for stream, batch in asked:
                for kind, seed in batch:
                    reply = read_reply(stream)
                    assert reply.status == 200, (kind, seed, reply)
                    assert reply.body == content(seed), (kind, seed)
                    right += 1
    return right


@pytest.mark.parametrize("threads", [2, 8])
@pytest.mark.parametrize("strategy", ["handoff", "pooled"])
def test_every_octet_of_every_answer_is_right(strategy: str, threads: int) -> None:
    patient = {"write_timeout": 100, "queue_timeout": 100}
    with (
        Server(application, port=0, strategy=strategy, threads=threads, **patient) as server,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        assert sum(pool.map(lambda number: run(server, number), range(CLIENTS))) >= CLIENTS * CONNECTIONS * ROUNDS

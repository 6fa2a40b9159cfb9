"""What a loop gives away is told: handed off, queued, to a thread. And without a trace, the plain parts are used."""

import re
import sys
from pathlib import Path

import pytest

from tests.process import SITE, running, write_site
from tests.strategies.applications import GET, Gate, hello, read_reply
from tests.strategies.waiting import eventually
from tests.trace.events import named, octets, read
from tests.wire import connect
from wsgiraw import ConfigError, Server
from wsgiraw.http11 import Connection
from wsgiraw.wsgi import Gateway

WAIT = b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"


def test_a_slow_call_is_handed_off_and_then_requests_queue(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    gate = Gate()
    with (
        Server(gate, port=0, threads=2, trace_json=str(path)) as server,
        connect(server) as first,
        connect(server) as second,
        connect(server) as third,
    ):
        for client, so_many in ((first, 1), (second, 2)):
            client.sendall(WAIT)
            eventually(lambda so_many=so_many: len(named(read(path), "environ")) == so_many)
        eventually(lambda: named(read(path), "handed off"))
        third.sendall(GET)
        eventually(lambda: named(read(path), "queued"))
        gate.released.set()
        for client in (first, second, third):
            with client.makefile("rb") as stream:
                assert read_reply(stream).status == 200
    events = read(path)
    handed_off = named(events, "handed off")[0]
    mine = [event for event in events if event["connection"] == handed_off["connection"]]
    environ, done = named(mine, "environ", "done")
    assert environ["state"] == "loop"
    assert done["state"] == "handed off"
    assert done["thread"] == environ["thread"] != handed_off["thread"]
    (queued,) = named(events, "queued")
    environ, done = named([event for event in events if event["connection"] == queued["connection"]], "environ", "done")
    assert {environ["state"], done["state"]} == {"thread"}
    assert done["thread"] == environ["thread"] != queued["thread"]
    assert done["stages"]["waiting"] > 0


def test_a_file_that_was_moved_away_is_opened_again(tmp_path: Path) -> None:
    path, moved = tmp_path / "trace.jsonl", tmp_path / "moved.jsonl"
    with (
        Server(hello, port=0, trace_json=str(path)) as server,
        connect(server) as client,
        client.makefile("rb") as stream,
    ):
        client.sendall(GET)
        read_reply(stream)
        eventually(lambda: named(read(path), "done"))
        path.rename(moved)
        server.reopen_logs()
        eventually(path.exists)
        client.sendall(GET)
        read_reply(stream)
        eventually(lambda: named(read(path), "done"))
    assert len(named(read(moved), "done")) == len(named(read(path), "done")) == 1


def test_workers_write_whole_lines(tmp_path: Path) -> None:
    """Into one pipe, with heads longer than what a pipe takes in one piece."""
    write_site(tmp_path)
    request = GET[:-2] + b"".join(b"X-Field-%d: %b\r\n" % (number, b"x" * 200) for number in range(50)) + b"\r\n"
    last = request[:-2] + b"Connection: close\r\n\r\n"
    options = ["--port=0", "--workers=2", "--access-logfile=off", "--trace", "--trace-json=trace.jsonl"]
    with running(tmp_path, SITE, *options) as process:
        process.line("requests are traced: slow, and for development")
        port = process.port()
        clients = [process.connect(port) for _ in range(8)]
        for client in clients:
            client.sendall(request + last)
        for client in clients:
            while client.recv(65536):
                pass
            client.close()
        assert process.stop() == 0
    events = read(tmp_path / "trace.jsonl")
    for connection in {(event["pid"], event["connection"]) for event in events}:
        mine = [event for event in events if (event["pid"], event["connection"]) == connection]
        assert [event["request"] for event in named(mine, "done")] == [1, 2]
        assert len(octets(mine, "sent")) == sum(event["octets"] for event in named(mine, "sent"))
    assert len(named(events, "done")) == len(clients) * 2
    traced = [line for line in process.lines if not line.startswith(("[", "wsgiraw "))]
    pids = {str(event["pid"]) for event in events}
    pattern = r"(\d+) \d+\.\d+ ( *\d+\.\d{3} ms| {12}) [<>=]( .*)?"
    matches = [re.fullmatch(pattern, line.rstrip("\n")) for line in traced]
    assert [line for line, match in zip(traced, matches, strict=True) if match is None or match[1] not in pids] == []
    assert sum(" = done: 200" in line for line in traced) == len(clients) * 2


def test_without_it_nothing_is_wrapped(tmp_path: Path) -> None:
    before = {name for name in sys.modules if name.startswith("wsgiraw.trace")}
    with Server(hello, port=0) as server:
        service = server._service()
        assert type(service.gateway) is Gateway
        assert service.gateway.application is hello
        assert type(service.new_connection(service.gateway, {})) is Connection
        assert "wsgiraw.trace" not in service.gateway.connection_environ(("a", "80"), ("b", "1"))
    assert {name for name in sys.modules if name.startswith("wsgiraw.trace")} == before


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot write the trace .*: Is a directory"):
        Server(hello, port=0, trace_json=str(tmp_path))

"""Octets in and out, as the trace of a real server has them: complete, in order, and on every strategy."""

import re
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.strategies.waiting import eventually
from tests.tls.certificates import Authority
from tests.tls.clients import Trust
from tests.trace.events import SECRET, application, named, octets, read
from tests.wire import connect, exchange, read_all, replies
from wsgiraw import Server

PIPELINED = (
    b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n"
    b"POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    b"PUT /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trace.jsonl"


def serving(path: Path, **options: object) -> Server:
    """Return a server on the default strategy whose trace is complete once it is left."""
    return Server(application, port=0, trace_json=str(path), **options)  # type: ignore[arg-type]


def test_pipelined_requests(strategy: str, path: Path) -> None:
    with serving(path, strategy=strategy) as server:
        received = exchange(server, PIPELINED, half_close=False)
    assert [reply.status for reply in replies(received)] == [200, 200, 200, 200]
    events = read(path)
    assert {event["connection"] for event in events} == {1}
    assert octets(events, "received") == PIPELINED
    assert octets(events, "sent") == received
    assert sum(event["octets"] for event in named(events, "sent")) == len(received)
    requests = named(events, "request")
    assert [(event["request"], event["method"], event["target"], event["body"]) for event in requests] == [
        (1, "GET", "/first", None),
        (2, "POST", "/second", 5),
        (3, "PUT", "/stream", 5),
        (4, "GET", "/last", None),
    ]
    for number in (1, 2, 4):
        names = [event["event"] for event in events if event["request"] == number and event["event"] != "received"]
        assert [name for name in names if name not in ("queued", "handed off")] == [
            *("request", "environ", "start_response", "returned", "sent", "done")
        ]
    environs = named(events, "environ")
    assert [event["variables"]["PATH_INFO"] for event in environs] == ["/first", "/second", "/stream", "/last"]
    assert not any("trace" in name for event in environs for name in event["variables"])
    assert {event["variables"]["CONTENT_LENGTH"] for event in environs[1:3]} == {"5"}
    dones = named(events, "done")
    assert [(event["status"], event["complete"], event["failed"]) for event in dones] == [(200, True, False)] * 4
    assert [event["keep_alive"] for event in dones] == [True, True, True, False]
    assert all(event["stages"].keys() == dones[0]["stages"].keys() for event in dones)
    allowed = {"threaded": {"threaded"}, "forking": {"forking"}, "serial": {"serial"}}
    loops = {"loop", "handed off", "thread", "queued"}
    assert {event["state"] for event in events} <= allowed.get(strategy, loops)
    if strategy == "pooled":
        assert {event["state"] for event in environs} == {"thread"}


def test_cut_in_pieces_and_over_one_connection(path: Path) -> None:
    first = b"POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    with serving(path) as server, connect(server) as client:
        client.sendall(first[:30])
        eventually(lambda: len(named(read(path), "received")) == 1)
        client.sendall(first[30:])
        received = client.recv(65536)
        assert received == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        client.shutdown(socket.SHUT_WR)
        received += read_all(client)
    events = read(path)
    assert octets(events, "received") == first + b"abc"
    assert octets(events, "sent") == received
    assert named(events, "received")[-1]["octets"] == 0
    assert {event["request"] for event in events} == {1}
    (done,) = named(events, "done")
    assert done["status"] == 200


def test_what_is_refused(path: Path) -> None:
    request = b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"
    with serving(path) as server:
        received = exchange(server, request)
    events = read(path)
    assert octets(events, "received") == request
    assert octets(events, "sent") == received
    (refused,) = named(events, "refused")
    assert refused["status"] == "400 Bad Request"
    assert refused["detail"].encode() in received
    assert named(events, "request", "environ", "done") == []


@pytest.mark.parametrize(("target", "complete"), [("/fail", True), ("/break", False)])
def test_an_application_that_fails(target: str, complete: bool, path: Path) -> None:
    with serving(path) as server, connect(server) as client:
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        with suppress(ConnectionResetError):  # it is cut off
            read_all(client)
        eventually(lambda: named(read(path), "done"))
    events = read(path)
    assert octets(events, "sent").endswith(b"its error log says why.\n" if complete else b"8\r\npiece 1\n\r\n")
    (failed,) = named(events, "failed")
    assert failed["error"].startswith("LookupError: in ")
    (done,) = named(events, "done")
    assert (done["complete"], done["failed"], done["status"]) == (complete, True, 500 if complete else 200)
    assert len(named(events, "sent")) == (1 if complete else 2)


@pytest.mark.parametrize("target", ["/stream", "/write", "/file", "/in-memory", "/cookie", "/large"])
def test_responses_are_as_they_are_without_it(target: str, path: Path) -> None:
    request = f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
    with Server(application, port=0) as plain:
        expected = exchange(plain, request)
    with serving(path) as server:
        received = exchange(server, request)
    undated = [re.sub(rb"Date: .*\r\n", b"", one) for one in (expected, received)]
    assert undated[0] == undated[1]
    sent = named(read(path), "sent")
    assert sum(event["octets"] for event in sent) == len(received)
    if target == "/file":
        assert sent[-1]["offset"] == 0
    elif target == "/large":
        assert [event.get("more", 0) for event in sent] == [0, 300_000 - 4096, 0]
    elif target != "/cookie":
        assert octets(sent, "sent") == received


def test_binary_is_summarised(path: Path) -> None:
    body = bytes(range(256)) * 16
    request = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    with serving(path, trace=True) as server:
        exchange(server, request)
    events = read(path)
    assert sum(event["octets"] for event in named(events, "received")) == len(request)
    text = octets(events, "received")
    assert text.startswith(request[: -len(body)])
    assert len(text) < 5000
    assert any(event.get("like", "").startswith("......") for event in named(events, "received"))
    assert "\0" not in path.read_text()


@pytest.mark.parametrize("strategy", ["handoff", "threaded"])
def test_over_tls(path: Path, serve: Serve, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = serve(application, trace_json=str(path), **authority.server.options)
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: a=" + SECRET.encode() + b"\r\n\r\n"
    received = Trust(authority).exchange(server, request)
    eventually(lambda: named(read(path), "done"))
    events = read(path)
    assert octets(events, "sent") == received
    (environ,) = named(events, "environ")
    assert environ["variables"]["wsgi.url_scheme"] == "https"
    assert SECRET not in path.read_text()

"""Every case of the corpus through real nginx and HAProxy: the front and we agree about where each request ends.

A front gives every request that it forwards a mark that nobody can guess, and tells it in the response, too. So a
request that only we see, since the front takes it for a part of another one (smuggling), comes without a mark; an
answer to it, or to one that only the front sees, is delivered with the mark of another. Behind each case its client
asks once more on the same connection, and another client asks by way of the same connection of the front to us.
"""

import socket
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.corpus import cases
from tests.corpus.cases import Case
from tests.fuzz.model import judge
from tests.fuzz.verdict import End
from tests.proxies.front import haproxy_with, nginx_with
from tests.wire import PATIENCE
from wsgiraw import Server
from wsgiraw.http11 import Limits

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

ALL = cases.valid() + cases.invalid()

NEXT = "GET {} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

SOON = 0.05
"""Seconds after which a client that waits for a front to lose patience is set aside, so that the next one can begin."""

BOUNDLESS = Limits(body=2**63)
"""A front has other limits than we."""

NGINX = """
upstream ours {{
    server 127.0.0.1:{port};
    keepalive 1;
}}
keepalive_timeout 1s;
client_header_timeout 1s;
client_body_timeout 1s;
client_max_body_size 0;
server {{
    listen 80;
    location / {{
        proxy_pass http://ours;
        proxy_http_version 1.1;
        proxy_next_upstream off;
        proxy_request_buffering {buffering};
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header X-Front-Mark $request_id;
        add_header X-Front-Mark $request_id always;
    }}
}}
"""

HAPROXY = """
defaults
    mode http
    timeout client 1s
    timeout http-request 1s
    timeout connect 20s
    timeout server 20s
    retries 0
    option disable-h2-upgrade
listen front
    bind :80
    http-reuse always
    http-request set-var(txn.mark) uuid()
    http-request set-header X-Front-Mark %[var(txn.mark)]
    http-response set-header X-Front-Mark %[var(txn.mark)]
    server ours 127.0.0.1:{port} pool-max-conn 1
"""

Front = Callable[[int, Path], AbstractContextManager[int]]

FRONTS: dict[str, Front] = {
    "nginx": lambda port, folder: nginx_with(NGINX.format(port=port, buffering="on"), folder),
    "nginx that does not buffer": lambda port, folder: nginx_with(NGINX.format(port=port, buffering="off"), folder),
    "haproxy": lambda port, folder: haproxy_with(HAPROXY.format(port=port), folder),
}


@dataclass
class Asked:
    """A request as the application got it, with the mark of the front and the port of its connection."""

    mark: str
    port: str
    method: str
    target: str
    body: bytes


class Application:
    """Records, and answers by nothing but fields, so that a response has the same form for every method."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        mark = environ.get("HTTP_X_FRONT_MARK", "")
        names = ("REMOTE_PORT", "REQUEST_METHOD", "REQUEST_URI")
        self.asked.append(Asked(mark, *(environ[name] for name in names), environ["wsgi.input"].read()))
        start_response("200 OK", [("X-Seen-Mark", mark or "none"), ("Content-Length", "0")])
        return []


@dataclass
class Client:
    """A connection to a front, and all that came back on it."""

    name: str
    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)

    def send(self, octets: bytes) -> None:
        """Send all, unless the front has had enough."""
        with suppress(ConnectionError):
            self.socket.sendall(octets)

    def half_close(self) -> None:
        """Let the front know that nothing follows."""
        with suppress(OSError):  # it may be gone
            self.socket.shutdown(socket.SHUT_WR)

    def is_done(self, seconds: float) -> bool:
        """Read to the end; false if it has not come in so many seconds without an octet."""
        self.socket.settimeout(seconds)
        try:
            while octets := self.socket.recv(65536):
                self.received += octets
        except TimeoutError:
            return False
        except ConnectionError:  # not all that was sent has been read
            pass
        return True


def responses(octets: bytes) -> Iterator[dict[str, str]]:
    """Yield the fields of each final response, names in lower case, and its status.

    What answers HEAD, or what the front took for that, has no body, and what answers HTTP/0.9 has nothing else.
    """
    while octets.startswith(b"HTTP/"):
        head, _, octets = octets.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        fields["status"] = status_line.split(" ")[1]
        if not octets.startswith(b"HTTP/1."):
            octets = octets[int(fields.get("content-length", len(octets))) :]
        if fields["status"] != "100":
            yield fields


@pytest.fixture(scope="module", params=FRONTS)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Application, list[Client]]:
    """All cases through one front, one after the other."""
    application = Application()
    with (
        Server(application, port=0, threads=1) as server,
        FRONTS[request.param](server.port, tmp_path_factory.mktemp("front")) as port,
    ):
        return application, list(run(port))


def run(port: int) -> Iterator[Client]:
    waiting = []
    with ExitStack() as stack:
        for case in ALL:
            for target, before in ((f"/case/{case.name}", case.octets), (f"/next/{case.name}", b"")):
                octets = before + NEXT.format(target).encode()
                client = Client(target, stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE)))
                client.send(octets)
                if client.is_done(SOON):
                    client.socket.close()
                    yield client
                else:
                    waiting.append((client, octets))
        for client, octets in waiting:
            if judge(octets, BOUNDLESS).end is End.INCOMPLETE:
                client.half_close()
            assert client.is_done(PATIENCE), f"{client.name} waits in vain"
            yield client


def test_nothing_is_smuggled(ran: tuple[Application, list[Client]]) -> None:
    application, _ = ran
    assert [asked for asked in application.asked if not asked.mark] == [], "requests that only we see"
    connections = {asked.port for asked in application.asked}
    assert len(connections) < len(application.asked) / 2, "each on a connection of its own: nothing can get mixed up"
    assert [mark for mark, count in Counter(asked.mark for asked in application.asked).items() if count > 1] == []


def test_every_answer_is_delivered_to_its_request(ran: tuple[Application, list[Client]]) -> None:
    application, clients = ran
    delivered = set()
    for client in clients:
        for fields in responses(bytes(client.received)):
            assert fields["status"] not in ("502", "504"), f"the front waits for what we do not send: {client.name}"
            if "x-seen-mark" in fields:
                assert fields["x-front-mark"] == fields["x-seen-mark"], client.name
                delivered.add(fields["x-seen-mark"])
    assert [asked for asked in application.asked if asked.mark not in delivered] == []


def test_requests_are_those_of_the_corpus(ran: tuple[Application, list[Client]]) -> None:
    application, clients = ran
    asked = {asked.mark: asked for asked in application.asked}
    answered = {client.name: list(responses(bytes(client.received))) for client in clients}
    compared = 0
    for case in ALL:
        compared += compare(case, asked, answered[f"/case/{case.name}"])
        (fields,) = answered[f"/next/{case.name}"]
        assert asked[fields["x-seen-mark"]].target == f"/next/{case.name}"
    assert compared > len(cases.valid()) / 2, "a front that forwards nothing proves nothing"


def compare(case: Case, asked: dict[str, Asked], answered: list[dict[str, str]]) -> int:
    """Compare what the application got with what the file of the case says; return how many requests that were."""
    compared = 0
    for expected, fields in zip(case.requests, answered, strict=False):
        if "x-seen-mark" in fields:
            got = asked[fields["x-seen-mark"]]
            assert got.method == expected.method, case.name
            assert expected.has_body(got.body), case.name
            compared += 1
    return compared

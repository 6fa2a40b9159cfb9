"""All checks on one server: ours is good in each, one that serves a client at a time is not; one that dies."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.compare.behaviour.broken import Broken, Talk, broken, ok
from tests.process import Process, running
from tests.wire import PATIENCE
from wsgiraw import Server
from wsgiraw.compare.behaviour import APPLICATION, CHECKS, check
from wsgiraw.compare.behaviour.application import application
from wsgiraw.compare.results import Finding

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "comparing-behaviour.md"


class Ours:
    """wsgiraw in a process of its own, as the checks know servers."""

    def __init__(self, process: Process) -> None:
        self.terminate = process.popen.terminate
        self.port = process.port()


def test_wsgiraw_is_good_in_all(tmp_path: Path) -> None:
    @contextmanager
    def start() -> Iterator[Ours]:
        with running(tmp_path, "--port", "0", APPLICATION) as process:
            yield Ours(process)

    heard: list[Finding] = []
    findings = check(start, patience=PATIENCE, found=heard.append)
    assert [finding.check for finding in findings] == list(CHECKS)
    assert [finding for finding in findings if not finding.good] == []
    assert heard == findings
    answers = {finding.check: finding.answer for finding in findings}
    assert answers["stalls"] == answers["sigterm"] == "answers all"


class Listens:
    """A server of which nobody wants more than its port."""

    def __init__(self, port: int) -> None:
        self.port = port

    def terminate(self) -> None:
        raise AssertionError("that was not asked for")


def test_one_connection_at_a_time_is_held_up() -> None:
    @contextmanager
    def start() -> Iterator[Listens]:
        with Server(application, port=0, strategy="serial") as server:
            yield Listens(server.port)

    findings = check(start, names=["stalls", "slow-request-beside"], patience=0.5)
    assert [(finding.check, finding.good) for finding in findings] == [
        ("slow-request-beside", False),
        ("stalls", False),
    ]


def dies_of_what_is_no_request(talk: Talk) -> None:
    head = talk.head()
    if head.startswith(b"this"):
        talk.server.terminate()
    else:
        talk.say(ok(b"hello"))


def test_a_server_that_dies_is_started_once_more() -> None:
    started: list[Broken] = []

    @contextmanager
    def start() -> Iterator[Broken]:
        with broken(dies_of_what_is_no_request) as server:
            started.append(server)
            yield server

    died, further = check(start, names=["bad-request", "duplicate-length"], patience=0.5)
    assert (died.good, died.answer) == (False, "closes without an answer, then answers nobody")
    assert further.answer.startswith("200, reads 5 octets")
    assert len(started) == 2


def test_a_server_that_never_answers_is_started_twice_and_the_rest_not_looked_at() -> None:
    started: list[Broken] = []

    @contextmanager
    def start() -> Iterator[Broken]:
        with broken(Talk.wait) as server:
            started.append(server)
            yield server

    gone = "no answer within 0.2 s, then answers nobody"
    findings = check(start, names=["bad-request", "duplicate-length", "short-body", "sigterm"], patience=0.2)
    assert [finding.answer for finding in findings[:2]] == [gone, gone]
    assert [(finding.good, finding.answer[:13]) for finding in findings[2:]] == [(None, "not looked at")] * 2
    assert len(started) == 2


def test_a_full_queue_is_said() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]

        @contextmanager
        def start() -> Iterator[Listens]:
            yield Listens(port)

        with socket.create_connection(("127.0.0.1", port)), socket.socket() as second:
            second.setblocking(False)
            second.connect_ex(("127.0.0.1", port))
            findings = check(start, names=["bad-request"], patience=0.2)
    assert findings[0].answer == "accepts nobody within 0.2 s, then answers nobody"


def test_every_check_says_why_and_by_which_rule() -> None:
    document = DOCUMENT.read_text()
    for name, described in CHECKS.items():
        assert described.title
        assert described.why.endswith(".")
        assert described.source.split(",")[0] in (described.look.__doc__ or "")
        assert f"`{name}`" in document
    assert list(CHECKS)[-1] == "sigterm"

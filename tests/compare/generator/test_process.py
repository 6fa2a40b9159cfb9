"""A generator is a process of its own, which does its job, and does not outlive who has given it."""

import os
import signal
import socket
import threading

import pytest

from tests.compare.generator.responding import GET, RIGHT, always, load_of, responding
from tests.wire import PATIENCE
from wsgiraw.compare.generator import GeneratorFailed, Question, calibrate, generator
from wsgiraw.compare.generator.job import Job, job_from_json
from wsgiraw.compare.generator.process import started
from wsgiraw.compare.generator.responder import BODY, respond
from wsgiraw.errors import ConfigError

OCTETS = bytes(range(256))


def test_a_job_travels_as_one_line() -> None:
    questions = [Question([GET, OCTETS], 201, OCTETS), Question([GET])]
    job = Job(port=1, questions=questions, rate=0.5, stalled=3)
    line = job.to_json()
    assert line.index(b"\n") == len(line) - 1
    assert job_from_json(line) == job


@pytest.mark.parametrize(
    "wrong",
    [{"questions": []}, {"questions": [Question([])]}, {"connections": 0}, {"seconds": 0.0}, {"rate": 0.0}],
    ids=str,
)
def test_a_job_that_is_none(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Job(**{"port": 1, "questions": [Question([GET])], **wrong})  # type: ignore[arg-type]


def test_ceiling() -> None:
    """A generator on any one core has a ceiling."""
    core = {min(os.sched_getaffinity(0))}
    assert calibrate(connections=2, seconds=0.1, server_cores=core, cores=core) > 0


def test_responder() -> None:
    """It answers as often as it is asked, and ends when told to."""
    ours, its = socket.socketpair()
    with ours, its, socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=respond, args=(listener, its.fileno()))
        thread.start()
        try:
            load = load_of(listener.getsockname()[1], Question([GET], body=BODY))
        finally:
            ours.close()
            thread.join()
    assert (load.errors, load.connections) == ({}, 2)


def test_it_ends_with_who_has_started_it() -> None:
    """Standard input ends when the parent does, however that comes about."""
    asked = socket.socketpair()

    def treat(connection: socket.socket) -> None:
        connection.recv(65536)
        asked[0].sendall(b"!")
        connection.sendall(RIGHT)
        always(RIGHT)(connection)

    with asked[0], asked[1], responding(treat) as port, started("wsgiraw.compare.generator", None) as process:
        assert process.stdin is not None
        process.stdin.write(Job(port=port, questions=[Question([GET])], connections=1, seconds=600.0).to_json())
        process.stdin.flush()
        asked[1].settimeout(PATIENCE)
        assert asked[1].recv(1) == b"!"
        process.stdin.close()
        assert process.wait(PATIENCE) == 1
        assert process.stdout is not None
        assert process.stdout.read() == b""


def test_it_is_killed_on_the_way_out() -> None:
    with pytest.raises(KeyboardInterrupt), started("wsgiraw.compare.generator", None) as process:
        raise KeyboardInterrupt
    assert process.returncode == -signal.SIGKILL


def test_one_job_after_the_other() -> None:
    """It says why it broke off where there is none."""
    questions = [Question([GET], body=b"5")]
    with generator() as ours:
        with responding(always(RIGHT)) as port:
            load = ours.closed_loop(port, questions, connections=2, seconds=0.1)
            latency = ours.open_loop(port, questions, 100.0, connections=2, seconds=0.1)
        assert (load.errors, latency.answered, latency.errors) == ({}, 10, {})
        with pytest.raises(GeneratorFailed, match="port"):
            ours.closed_loop(70_000, questions, seconds=0.1)
        with pytest.raises(GeneratorFailed, match="broke off"):
            ours.closed_loop(port, questions, seconds=0.1)

"""Workers that are replaced before they leave, and those that are stuck."""

import signal
from pathlib import Path

from tests.supervision.master import Master, lives, master_of, until, write_application

GROWING = """
import os
kept = []
def app(environ, start_response):
    if environ["PATH_INFO"] == "/grow":
        kept.append(bytearray(os.urandom(1024)) * 128 * 1024)
    start_response("200 OK", [])
    return [f"{os.getpid()} x".encode()]
"""

STUCK = """
import re, os
def app(environ, start_response):
    if environ["PATH_INFO"] == "/stuck":
        re.match(r"(a+)+$", "a" * 64 + "b")  # holds the interpreter for longer than the universe will last
    start_response("200 OK", [])
    return [f"{os.getpid()} x".encode()]
"""


def served_by(master: Master) -> int:
    return int(master.ask().split()[0])


def test_max_requests_brings_a_successor(tmp_path: Path) -> None:
    with master_of(1, tmp_path, "--max-requests=5", "--max-requests-jitter=2") as master:
        first = served_by(master)
        until(lambda: served_by(master) != first, "a successor")
        master.process.line(r"worker \d+ is to be replaced: it has answered [567] requests")
        until(lambda: not lives(first), "the first has ended")
        assert master.process.stop() == 0


def test_without_a_master_max_requests_ends_it(tmp_path: Path) -> None:
    with master_of(0, tmp_path, "--max-requests=3") as alone:
        for _ in range(3):
            assert served_by(alone) == alone.process.pid
        assert alone.process.wait() == 0
        assert any("stopping: it has answered 3 requests" in line for line in alone.process.lines)


def test_who_grows_too_large_is_replaced(tmp_path: Path) -> None:
    write_application(tmp_path, GROWING)
    with master_of(1, tmp_path, "--max-rss=128M") as master:
        first = served_by(master)
        master.ask("/grow")
        master.process.line(rf"worker {first} is to be replaced: it holds \d+ MiB")
        until(lambda: served_by(master) != first, "a successor")


def test_who_is_stuck_is_replaced_and_its_stacks_are_logged(tmp_path: Path) -> None:
    write_application(tmp_path, STUCK)
    with master_of(2, tmp_path, "--strategy=eventloop", "--loop-timeout=1") as master:
        port = int(master.url.rpartition(":")[2])
        master.has(2)
        with master.process.connect(port) as client:
            client.sendall(b"GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n")
            stuck = int(master.process.line(r"worker (\d+) has been stuck for \d s: it is killed")[1])
            master.process.line("re.*in match|Fatal Python error: Aborted")
            until(lambda: not lives(stuck), "it has ended")
        master.has(2)
        assert served_by(master) != stuck
        master.process.signal(signal.SIGTERM)
        assert master.process.wait() == 0

"""On a terminal: the access log is on and coloured, unless somebody says otherwise. Elsewhere it is off."""

import os
import pty
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.process import Process, command, environment
from tests.strategies.applications import GET, read_reply

SOURCE = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
"""


@contextmanager
def on_terminal(folder: Path, *arguments: str, **more: str) -> Iterator[tuple[Process, int]]:
    """Run `wsgiraw ARGUMENTS` with a terminal as standard output; yield it and where that is read."""
    (folder / "site_of_ours.py").write_text(SOURCE)
    ours, theirs = pty.openpty()
    try:
        popen = subprocess.Popen(
            command("site_of_ours:app", "--port=0", *arguments),
            cwd=folder,
            env=environment(**more),
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
        )
        with popen:
            process = Process(popen)
            try:
                yield process, ours
            finally:
                popen.kill()
    finally:
        os.close(theirs)
        os.close(ours)


def request(process: Process) -> None:
    with process.connect(process.port()) as client, client.makefile("rb") as stream:
        client.sendall(GET)
        assert read_reply(stream).status == 200


def test_the_access_log_is_on_and_coloured(tmp_path: Path) -> None:
    with on_terminal(tmp_path) as (process, terminal):
        request(process)
        assert re.search(rb'"GET / HTTP/1\.1" \x1b\[32m200\x1b\[0m 5 "-" "-"\r\n', os.read(terminal, 1000))
        assert process.stop() == 0


@pytest.mark.parametrize("strategy", ["serial"])
def test_no_color(tmp_path: Path, strategy: str) -> None:
    with on_terminal(tmp_path, f"--strategy={strategy}", NO_COLOR="1") as (process, terminal):
        request(process)
        assert b'"GET / HTTP/1.1" 200 5 "-" "-"\r\n' in os.read(terminal, 1000)
        assert process.stop() == 0


def test_off(tmp_path: Path) -> None:
    with on_terminal(tmp_path, "--access-logfile=off") as (process, terminal):
        request(process)
        assert process.stop() == 0
        os.set_blocking(terminal, False)
        with pytest.raises(BlockingIOError):
            os.read(terminal, 1000)


def test_a_file_gets_no_colours(tmp_path: Path) -> None:
    with on_terminal(tmp_path, "--access-logfile=log") as (process, _):
        request(process)
        assert process.stop() == 0
    assert '"GET / HTTP/1.1" 200 5 "-" "-"\n' in (tmp_path / "log").read_text()

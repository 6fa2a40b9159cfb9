"""wrk and h2load report what they have seen in the words of our own generator."""

import shutil
from pathlib import Path

import pytest

from tests.apps.conftest import absent
from tests.compare.generator.responding import RIGHT, always, responding
from wsgiraw.compare.generator import Question
from wsgiraw.compare.generator.external import external_loop
from wsgiraw.errors import ConfigError

GET = b'GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: a="\\%d\r\n\r\n'
MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\n5"


@pytest.mark.parametrize("program", ["wrk", "h2load"])
def test_a_load_by_another_program(program: str) -> None:
    """At once: a server whose answers are right, and one whose are not."""
    if shutil.which(program) is None:
        absent(program)
    with responding(always(RIGHT)) as port:
        load = external_loop(program, port, [Question([GET % 1, GET % 2])], connections=2, seconds=0.2)
    assert (load.errors, load.connections) == ({}, 0)
    assert load.answered > 0
    assert load.seconds >= 0.2
    with responding(always(MISSING)) as port:
        question = Question([b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\n\r\n\r\n"])
        load = external_loop(program, port, [question], connections=2, seconds=0.2)
    assert load.answered == 0
    assert len(load.errors) == 1
    assert next(iter(load.errors)).startswith("status 4")


@pytest.mark.parametrize(
    ("program", "questions", "message"),
    [("ab", 1, "no generator 'ab'"), ("wrk", 1, "wrk is not installed"), ("h2load", 1, "h2load is not installed")],
)
def test_what_is_not_there(
    program: str, questions: int, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=message):
        external_loop(program, 1, [Question([GET])] * questions)


def test_several_questions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "wrk").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="one request, not 2"):
        external_loop("wrk", 1, [Question([GET])] * 2)

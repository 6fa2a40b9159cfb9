"""A whole comparison, and its end before its time; with our own servers, and as short as can be."""

import json
import os
import shlex
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.process import environment
from tests.wire import PATIENCE
from wsgiraw.cli import main
from wsgiraw.compare.behaviour import CHECKS
from wsgiraw.compare.ranking import judge
from wsgiraw.compare.results import Results, from_json

APP = "apps.native_calc:app"
RUDE = f"cmd:{{python}} {shlex.quote(str(Path(__file__).with_name('rude.py')))} {{port}}"
BRIEF = ["--duration", "0.1", "--warm-up", "0.1", "--connections", "4", "--stalled", "2"]


def compare(file: Path, *arguments: str) -> Results:
    assert main(["compare", *arguments, *BRIEF, "--save", str(file)]) == 0
    return from_json(json.loads(file.read_text()))


def test_from_the_command_line_to_the_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same server twice, one that fails as soon as it matters, one that is not there.

    That two of the same differ clearly is said once in a hundred times, by the definition of the interval. This test
    asks less, and gets it always: the interval reaches to where one is half as fast again as the other at most. After
    two rounds it is that of Student's t with one degree of freedom, 64 times as wide as the rounds are apart: it could
    miss only if one had been slowed down to two thirds in both rounds, and in both by the same share within 2 %.
    """
    twins = ["--servers", "wsgiraw,wsgiraw", "-s", RUDE, "-s", "cmd:nosuch {bind}"]
    found = compare(tmp_path / "results.json", APP, "--get", "/add/2/3", *twins, "--rounds", "2")
    (comparison,) = found.comparisons
    standings = {standing.server.name: standing for standing in judge(comparison, found.ceiling)}
    first, second, rude, absent = (standings[name] for name in ("wsgiraw", "wsgiraw#2", "cmd:rude.py", "cmd:nosuch"))

    for standing in (first, second):
        assert (standing.rank is not None, standing.errors.total()) == (True, 0)
        assert [finding.check for finding in standing.server.behaviour] == [*CHECKS]
        assert [(one.stalled, one.missing) for one in standing.latency] == [(0, 0), (2, 0)]
        assert standing.peak is not None
        assert standing.peak.least > 1 << 20
        assert all(one.cpu > 0 for one in standing.server.rounds)
    assert second.ratio is not None
    assert second.ratio.low < 1.5
    assert second.ratio.high > 1 / 1.5

    assert (rude.rank, rude.reason.partition(":")[0]) == (None, "no right answer")
    assert rude.errors.keys() == {"status 500"}
    assert (absent.rank, absent.server.state) == (None, "absent")

    shown = capsys.readouterr()
    assert "cmd:nosuch is not installed: install 'nosuch', which is not on PATH" in shown.out
    assert "cmd:rude.py is not ranked: no right answer" in shown.out
    assert f"{APP}, round 2: wsgiraw#2" in shown.err


def test_behaviour_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It needs no application."""
    found = compare(tmp_path / "results.json", "--behaviour", "--servers", "wsgiraw", "--patience", "0.5")
    assert found.ceiling == 0
    assert [len(server.behaviour) for one in found.comparisons for server in one.servers] == [len(CHECKS)]
    assert "Behaviour\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("tests.compare.test_comparison:failing", "answers GET / with 500 under all servers: mend it"),
        (APP, "no server answers apps.native_calc:app as expected; wsgiraw: GET /: its body"),
    ],
)
def test_an_application_that_cannot_be_compared(target: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """That is found before anything is measured."""
    assert main(["compare", target, "--get", "/", "--expect", "5", "--servers", "wsgiraw", *BRIEF]) == 2
    assert said in capsys.readouterr().err


def failing(environ: object, start_response: object) -> list[bytes]:
    raise LookupError


@pytest.mark.parametrize(
    ("number", "where", "code"), [(signal.SIGINT, "answers: ", 130), (signal.SIGTERM, "round 1: ", 143)]
)
def test_interrupted(number: signal.Signals, where: str, code: int) -> None:
    """Whenever that is, no process is left."""
    mark = uuid.uuid4().hex
    command = [sys.executable, "-m", "wsgiraw", "compare", APP, "--servers", "wsgiraw", "--rates", "50"]
    with subprocess.Popen(
        [*command, "--duration", "600"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(MARK_OF_A_TEST=mark),
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            while where not in (line := process.stderr.readline()):
                assert line
            process.send_signal(number)
            _, said = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert (process.returncode, said) == (code, "")
    assert marked(mark) == []


def marked(mark: str) -> list[str]:
    """Return the processes that have inherited a mark."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                if mark.encode() in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_text())
            except OSError:
                continue
    return found

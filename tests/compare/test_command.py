"""The command line, as far as nothing needs to be measured: results that are drawn again, verdicts, refusals."""

import io
import json
import sys
from pathlib import Path

import pytest

from tests.compare.samples import comparison, one_round, results, server
from wsgiraw.cli import main
from wsgiraw.compare.output import standard_output
from wsgiraw.compare.results import Results
from wsgiraw.errors import ConfigError

APP = "apps.native_calc:app"


def compare(*arguments: str) -> int:
    return main(["compare", *arguments])


def saved(file: Path, content: Results) -> str:
    file.write_text(json.dumps(content.to_json()))
    return str(file)


def of_speed(answered: int, state: str = "measured") -> Results:
    rounds = [one_round(answered + number) for number in range(4)]
    return results(comparison(server("wsgiraw", rounds, state=state)))


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare("--help") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: wsgiraw compare")
    assert "--fail-if-slower" in shown
    assert "WSGIRAW_" not in shown  # no option of it is read from there


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name an application, as in: wsgiraw compare"),
        ([APP, "--severs", "wsgiraw"], "there is no flag --severs: did you mean '--servers'?"),
        ([APP, "--servers", "gunicron"], "there is no server 'gunicron': did you mean 'gunicorn'?"),
        ([APP, "--servers", "cmd:nosuch {bind}"], "none of these servers is installed: install 'nosuch'"),
        ([APP, "--get", "add"], "the target begins with /"),
        ([APP, "--requests", "nosuch.toml"], "requests 'nosuch.toml': No such file"),
        ([APP, "--html", "nosuch/page.html"], "there is no directory 'nosuch'"),
        ([APP, "--html", "."], "cannot write '.'"),
        ([APP, "--generator", "wrk", "--get", "/", "--get", "/a"], "wrk "),
        ([APP, "--fail-if-slower", "5%"], "give --baseline FILE"),
        ([APP, "--baseline", "nosuch.json"], "results 'nosuch.json': No such file"),
        ([APP, "--baseline", "README.md"], "results 'README.md' are not JSON"),
        (["--from", "README.md"], "results 'README.md' are not JSON"),
        (["apps.nothing:app"], "'apps.nothing:app': there is no module 'apps.nothing'"),
    ],
    ids=" ".join,
)
def test_refused_before_anything_is_measured(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(*arguments) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""


def test_drawn_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = saved(tmp_path / "results.json", of_speed(1000))
    files = {name: tmp_path / f"drawn.{name}" for name in ("html", "svg", "png", "markdown")}
    assert compare("--from", file, *(word for name in files for word in (f"--{name}", str(files[name])))) == 0
    assert "wsgiraw 1.0" in capsys.readouterr().out
    assert files["html"].read_text().startswith("<!DOCTYPE html>")
    assert files["svg"].read_text().startswith("<svg")
    assert files["png"].read_bytes().startswith(b"\x89PNG")
    assert files["markdown"].read_text().startswith("### ")


def test_standard_output_is_for_one_thing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = saved(tmp_path / "results.json", of_speed(1000))
    assert compare("--from", file, "--save", "-") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(Path(file).read_text())


def test_an_application_beside_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare("--from", saved(tmp_path / "results.json", of_speed(1000)), APP) == 2
    assert "name no application" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("speed", "arguments", "code", "said"),
    [
        (1000, [], 0, "wsgiraw (apps.flask_calc:app), requests/s: +0.0 %"),
        (500, [], 1, "allowed are 10 %"),
        (700, ["--fail-if-slower", "60%"], 0, "requests/s: -30"),
    ],
)
def test_against_a_baseline(
    speed: int, arguments: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    former = saved(tmp_path / "baseline.json", of_speed(1000))
    now = saved(tmp_path / "results.json", of_speed(speed))
    assert compare("--from", now, "--baseline", former, *arguments) == code
    assert said in capsys.readouterr().err


def test_nothing_was_measured(tmp_path: Path) -> None:
    nothing = results(comparison(server("wsgiraw", state="failed")))
    assert compare("--from", saved(tmp_path / "results.json", nothing)) == 1


def test_what_could_not_be_written_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = saved(tmp_path / "results.json", of_speed(1000))
    assert compare("--from", file, "--markdown", "/dev/full") == 2
    shown = capsys.readouterr()
    assert "wsgiraw 1.0" in shown.out
    assert "cannot write '/dev/full': No space left" in shown.err


def test_png_without_matplotlib(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert compare(APP, "--png", "picture.png") == 2
    assert "pip install 'wsgiraw[plot]'" in capsys.readouterr().err


def test_who_reads_may_leave(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A full disk is said, a reader who has gone is not, and neither is found out once more at the end."""
    with Path("/dev/full").open("w") as full, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", full)
        with pytest.raises(ConfigError, match="No space left"), standard_output():
            full.write("a" * io.DEFAULT_BUFFER_SIZE * 2)
    with (tmp_path / "file").open("w") as file, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", file)
        with standard_output():
            raise BrokenPipeError
        file.write("a")
    assert (tmp_path / "file").read_text() == ""

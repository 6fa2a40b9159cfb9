"""What README.md shows is run as it stands there, and must print what it shows.

A `$` line of a console block is a command. One that serves runs on, as in the reader's first terminal, until the next
that serves; the commands behind it are the second terminal's. What differs from run to run (port, pid, date, version)
is made equal before comparing, ports are picked by the kernel, and `.venv/bin/` is the interpreter of this test: making
the environment anew is left to .ci/run, which runs the two main commands word for word.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.apps.conftest import absent, tool
from wsgiraw.config import Config
from wsgiraw.strategies import STRATEGIES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md")])

MAIN = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[flask]' && .venv/bin/wsgiraw apps.flask_calc:app"
TESTS = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/python -m pytest"

BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
URL = re.compile(r"http://127\.0\.0\.1:[0-9]+")
BANNER = re.compile(r"^wsgiraw [0-9.]+ · [a-z]+ · pid [0-9]+ · http://127\.0\.0\.1:[0-9]+ · Ctrl-C stops it$")
SET_UP = re.compile(r"python3 -m venv \.venv|\.venv/bin/pip install -q -e '\.\[([a-z,]+)\]'")


class Command(NamedTuple):
    line: str
    output: str


class Scene(NamedTuple):
    """A command that serves, and what is then asked of it; the first scene of all has no server."""

    server: Command | None
    questions: list[Command]


def blocks(language: str) -> list[str]:
    return [text for found, text in BLOCK.findall(README) if found == language]


def commands(block: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, _, output = part.partition("\n")
        yield Command(line, output.rstrip("\n"))


def serves(command: Command) -> bool:
    words = shlex.split(command.line.rpartition(" && ")[2])
    return any(word.endswith("wsgiraw") for word in words[:3]) and not {"--check", "--print-config"} & set(words)


def scenes() -> list[Scene]:
    found = [Scene(None, [])]
    for block in blocks("console"):
        for command in commands(block):
            if serves(command):
                found.append(Scene(command, []))
            elif command.line != TESTS:
                found[-1].questions.append(command)
    return found


def here(command: str) -> str:
    """Return a command line without its set-up, with the interpreter of this test in the place of the environment's."""
    steps = command.split(" && ")
    while len(steps) > 1 and SET_UP.fullmatch(steps[0]):
        del steps[0]
    python = shlex.quote(sys.executable)
    line = re.sub(r"(?<![\w/.-])(\.venv/bin/wsgiraw)(?=\s)", f"{python} -m wsgiraw", " && ".join(steps))
    return re.sub(r"(?<![\w/.-])(\.venv/bin/python|python3)(?=\s)", python, line)


def environment(**more: str) -> dict[str, str]:
    ours = {key: value for key, value in os.environ.items() if not key.startswith(("WSGIRAW_", "PORT", "WEB_CONC"))}
    return {**ours, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), ours.get("PYTHONPATH")])), **more}


@contextmanager
def running(arguments: list[str]) -> Iterator[tuple[str, str]]:
    """Run a program that serves; give the line that it begins with and the URL there. SIGTERM ends it in good order."""
    variables = environment(WSGIRAW_PORT="0", PYTHONUNBUFFERED="1")
    process = subprocess.Popen(
        arguments, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with process:
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            found = URL.search(said)
            assert found, said + process.stdout.read()
            yield said.rstrip("\n"), found[0]
        finally:
            process.terminate()
            rest = process.stdout.read()
    assert process.returncode == 0, rest


def run(command: str, url: str | None) -> str:
    """Run a command line to its end; return what it prints."""
    line = here(command)
    if "curl" in line:
        shutil.which("curl") or absent("curl")
        assert url is not None, f"nothing serves {command!r}"
        line = line.replace("localhost:8000", url.removeprefix("http://")).replace("curl ", "curl --silent ")
    ended = subprocess.run(
        ["bash", "-c", line], cwd=ROOT, env=environment(NO_PROXY="*"), capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    return ended.stdout


def comparable(output: str) -> str:
    return re.sub(r"^Date: .* GMT$", "Date: now", output, flags=re.MULTILINE).rstrip("\n")


def test_the_main_commands_come_first() -> None:
    lines = re.findall(r"^\$ (.*)$", README, re.MULTILINE)
    assert lines[:3] == [MAIN, TESTS, "curl -i localhost:8000/add/2/3"]
    answer = scenes()[1].questions[0].output.splitlines()
    assert (answer[0], answer[-1]) == ("HTTP/1.1 200 OK", "5")
    assert len(README.splitlines()) <= 150


def test_set_up_installs_what_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = re.findall(r"'\.\[([a-z,]+)\]'", README)
    assert len(named) >= 3
    assert {extra for names in named for extra in names.split(",")} <= set(extras)


@pytest.mark.parametrize("scene", scenes(), ids=lambda scene: scene.server.line if scene.server else "no server")
def test_console(scene: Scene) -> None:
    if scene.server is None:
        assert scene.questions == []
        return
    for module in ("flask", "django"):
        if module in scene.server.line:
            tool(module)
    arguments = shlex.split(here(scene.server.line))
    assert arguments[0] == sys.executable
    with running(arguments) as (banner, url):
        assert BANNER.fullmatch(banner)
        assert BANNER.fullmatch(scene.server.output)
        for line, output in scene.questions:
            assert comparable(run(line, url)) == comparable(output), line


def test_plain_calculator_needs_nothing_installed() -> None:
    """Isolated from every site-packages, the server and the plain calculator still run."""
    with running([sys.executable, "-S", "-m", "wsgiraw", "apps.native_calc:app"]) as (_, url):
        assert run("curl localhost:8000/add/2/3", url) == "5"


@pytest.mark.parametrize("program", blocks("python"))
def test_python(program: str) -> None:
    arguments = [sys.executable, "-W", "error", "-c", program.replace("8000", "0")]
    if "serve" in program.replace("server", ""):
        with running(arguments) as (_, url):
            assert run("curl localhost:8000/add/2/3", url) == "5"
        return
    ended = subprocess.run(arguments, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == re.findall(r"print\(.*\)  # (.*)$", program, re.MULTILINE) != []


def test_strategies_are_all_told() -> None:
    told = dict(re.findall(r"^\| `(\w+)`(?: \(default\))? \| ([^|]*) \|", README, re.MULTILINE))
    assert told == {name: strategy.summary for name, strategy in STRATEGIES.items()}
    assert re.findall(r"^\| `(\w+)` \(default\)", README, re.MULTILINE) == [Config().strategy]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", document.read_text())
    broken = [target for target in targets if "://" not in target and not (document.parent / target).exists()]
    assert broken == []

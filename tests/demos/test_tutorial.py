"""docs/from-tutorial-to-wsgiraw.md: excerpts are the code's own lines, commands exist, and no demo is left out."""

import re
import shlex
from pathlib import Path

import pytest

from wsgiraw import cli
from wsgiraw.demos.command import CHAPTERS

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "from-tutorial-to-wsgiraw.md").read_text()
EXCERPTS = re.findall(r"^```python (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = sorted(set(re.findall(r"^[12]?\$ wsgiraw demo (.+)$", PAGE, re.MULTILINE)))


@pytest.mark.parametrize(("file", "lines"), EXCERPTS, ids=[file for file, _ in EXCERPTS])
def test_excerpts_are_in_the_file_that_they_name(file: str, lines: str) -> None:
    assert f"\n{lines}" in (ROOT / file).read_text()
    assert len(lines.splitlines()) <= 12


def test_every_block_of_python_is_an_excerpt() -> None:
    assert PAGE.count("```python") == len(EXCERPTS) > 8


def test_every_demo_has_its_heading() -> None:
    headings = " ".join(re.findall(r"^### (.*)$", PAGE, re.MULTILINE))
    named = set(re.findall("`([^`]+)`", headings)) - {"handoff"}  # the real thing at the end of its chapter
    assert named | {"load"} == {name for chapter in CHAPTERS.values() for name in chapter}
    assert "`load` is the client" in PAGE


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_exist_with_their_flags(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    name, *arguments = shlex.split(command)
    assert cli.main(["demo", name, "--help"]) == 0
    text = capsys.readouterr().out
    assert [argument for argument in arguments if argument.startswith("-") and f" {argument} " not in text] == []

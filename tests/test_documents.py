"""What the documents name exists: the options and tests of the threat table, and the files that links point to."""

import re
from pathlib import Path

import pytest

from wsgiraw import Config
from wsgiraw.options import declared

ROOT = Path(__file__).resolve().parent.parent
BEHAVIOUR = ROOT / "docs" / "server-behaviour.md"
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def threats() -> list[list[str]]:
    """Return the rows of the table of attacks: attack, what stops it, option, test."""
    table = BEHAVIOUR.read_text().partition("\n## What attackers do\n")[2].partition("\n## ")[0]
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines() if row.startswith("|")][2:]


def test_each_attack_names_options_and_tests_that_exist() -> None:
    assert len(threats()) > 15
    for _, _, options, tests in threats():
        assert set(re.findall("`([^`]+)`", options)) <= declared(Config).keys()
        named = re.findall("`([^`]+)`", tests)
        assert named or tests.startswith("the same")
        assert [name for name in named if not (ROOT / "tests" / name).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]*)(?:#[^)]*)?\)", document.read_text()):
        assert (document.parent / target).exists(), target

"""What is printed: within the width, whole, and the same with and without colour."""

import io
import re

import pytest

from tests.apps.conftest import tool
from tests.compare.samples import comparison, one_round, results, server, wide
from wsgiraw.compare.report.rows import NO_BEHAVIOUR
from wsgiraw.compare.report.terminal import show
from wsgiraw.compare.results import Results


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Ascii(io.StringIO):
    """A file that takes nothing but ASCII."""

    encoding = "ascii"

    def write(self, text: str) -> int:
        return super().write(text.encode("ascii").decode())


def printed(found: Results, width: int = 100) -> str:
    file = io.StringIO()
    show(found, file, width)
    return file.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_is_no_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, printed(wide(), width).splitlines())) <= width


def test_a_wide_terminal_has_one_table_for_all() -> None:
    heads = [line for line in printed(wide(), 200).splitlines() if " #  server" in line]
    assert len(heads) == 3
    assert all("errors" in head for head in heads)


def test_a_narrow_one_repeats_whose_numbers_they_are() -> None:
    text = printed(wide(), 80)
    assert len(re.findall(r"^ 1  fastpysgi 0\.4 ", text, re.MULTILINE)) == 9


def test_says_all_that_is_needed_to_judge() -> None:
    text = printed(wide(), 200)
    for words in (
        "no clear difference",
        "≥ ",
        "not ranked",
        "no answer",
        "✓ ",
        "✗ ",
        "* nginx-unit is not installed: pip install nginx-unit",
        "* wsgiref is not ranked: answers otherwise than the others; Content-Type: text/plain",
        "120 × status 500",
        "* generator-bound (apps.native_calc:app): fastpysgi.",
        "* generator ceiling: 66,000 requests/s",
        "* kernel: 6.1",
        "* plan: profile standard, rounds 5",
        "* granian: 1 process x 8 threads: python -m granian apps.flask_calc:app",
    ):
        assert words in text


def test_speed_without_behaviour_is_said_to_be() -> None:
    assert NO_BEHAVIOUR in printed(results(comparison(server("wsgiraw", [one_round(5)]))), 200)
    assert NO_BEHAVIOUR not in printed(wide(), 200)


def test_nothing_measured_is_told() -> None:
    text = printed(results(comparison(server("bjoern", state="failed", note="exited\nwith 1"))), 200)
    assert "* bjoern is not ranked: failed; exited with 1" in text


def test_a_server_cannot_steer_the_terminal() -> None:
    text = printed(results(comparison(server("x", [one_round(5)], state="failed", note="\x1b[2J\x07\x9bm[bold]"))))
    assert "failed; [2J m[bold]" in text
    assert text.replace("\n", "").isprintable()


def test_ascii_is_enough() -> None:
    file = Ascii()
    show(wide(), file, 80)
    assert ">= 60," in file.getvalue()
    assert "CPU us" in file.getvalue()


def test_colour_changes_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    tool("rich")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    file = Terminal()
    show(wide(), file, 80)
    coloured = file.getvalue()
    assert "\x1b[32m" in coloured
    plain = [line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", coloured).splitlines()]
    assert plain == [line for line in printed(wide(), 80).splitlines() if not re.fullmatch(r"--[- ]*", line)]

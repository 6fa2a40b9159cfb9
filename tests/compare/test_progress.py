"""Plain lines where nobody could see a bar, a bar of rich's on a terminal."""

import io
import sys

import pytest

from wsgiraw.compare.progress import progress


class Terminal(io.StringIO):
    """What says of itself that it is one."""

    def isatty(self) -> bool:
        return True


def two_steps(file: io.StringIO) -> str:
    with progress(file, 2) as shown:
        shown.step("first [bold]")
        shown.step("second")
        shown.say("by the way")
    return file.getvalue()


def test_lines() -> None:
    first, second, remark = two_steps(io.StringIO()).splitlines()
    assert first.startswith("[1/2, ")
    assert first.endswith(" s] first [bold]")
    assert second.startswith("[2/2, ")
    assert remark == "by the way"


def test_a_bar() -> None:
    text = two_steps(Terminal())
    assert "by the way\n" in text
    assert "1/2" in text
    assert "second" in text


def test_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    assert two_steps(Terminal()).startswith("[1/2, ")

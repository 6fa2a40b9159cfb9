"""How far a comparison is: a bar on a terminal where rich is installed, plain lines elsewhere. It measures nothing."""

import importlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

__all__ = ["Progress", "progress"]


class Progress:
    """Steps that have been made, and what is being done; each step is said in a line of its own."""

    def __init__(self, file: TextIO, steps: int) -> None:
        self._file = file
        self._steps = steps
        self._made = 0
        self._began = time.monotonic()

    def step(self, what: str) -> None:
        """Say what begins now."""
        self._made += 1
        self.say(f"[{self._made}/{self._steps}, {time.monotonic() - self._began:.0f} s] {what}")

    def say(self, what: str) -> None:
        """Say something that is worth a line."""
        self._file.write(f"{what}\n")
        self._file.flush()


class _Bar(Progress):
    """The same as a bar of rich's."""

    def __init__(self, file: TextIO, steps: int, bar: Any) -> None:
        super().__init__(file, steps)
        self._bar = bar
        self._task = bar.add_task("", total=steps)

    def step(self, what: str) -> None:
        self._bar.update(self._task, completed=self._made, description=what)
        self._made += 1

    def say(self, what: str) -> None:
        self._bar.console.print(what, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def progress(file: TextIO, steps: int) -> Iterator[Progress]:
    """Show so many steps; the bar vanishes at the end."""
    try:
        bars, console = importlib.import_module("rich.progress"), importlib.import_module("rich.console")
    except ModuleNotFoundError:
        yield Progress(file, steps)
        return
    if not file.isatty():
        yield Progress(file, steps)
        return
    columns = (
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(),
        bars.TextColumn("{task.description}", markup=False),
    )
    with bars.Progress(*columns, console=console.Console(file=file), transient=True) as bar:
        yield _Bar(file, steps, bar)

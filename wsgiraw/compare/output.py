"""Files that results become: JSON, Markdown, a page, pictures; and files of results that are read again.

Whether they can be written is found out before anything is measured, not after.
"""

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from wsgiraw.compare.plan import Plan
from wsgiraw.compare.report.html import html
from wsgiraw.compare.report.markdown import markdown
from wsgiraw.compare.report.png import MISSING, png
from wsgiraw.compare.report.svg import svg
from wsgiraw.compare.results import Results, from_json
from wsgiraw.errors import ConfigError

__all__ = ["STANDARD_OUTPUT", "load", "on_standard_output", "refuse_unwritable", "standard_output", "write"]

STANDARD_OUTPUT = "-"


def refuse_unwritable(plan: Plan) -> None:
    """Raise ConfigError for what could not be written."""
    for name, _ in _wanted(plan):
        folder = Path(name).parent
        if name == STANDARD_OUTPUT:
            continue
        if not folder.is_dir():
            raise ConfigError(f"cannot write {name!r}: there is no directory {str(folder)!r}")
        if Path(name).is_dir() or not os.access(name if Path(name).exists() else folder, os.W_OK):
            raise ConfigError(f"cannot write {name!r}: choose another place")
    if plan.png and importlib.util.find_spec("matplotlib") is None:
        raise ConfigError(MISSING)


def on_standard_output(plan: Plan) -> bool:
    """Whether one of them goes where else the tables would."""
    return any(name == STANDARD_OUTPUT for name, _ in _wanted(plan))


def write(plan: Plan, results: Results) -> None:
    """Write every file that was asked for. Raises ConfigError."""
    for name, draw in _wanted(plan):
        drawn = draw(results)
        if name == STANDARD_OUTPUT:
            sys.stdout.buffer.write(drawn)
            continue
        try:
            Path(name).write_bytes(drawn)
        except OSError as error:
            raise ConfigError(f"cannot write {name!r}: {error.strerror}") from None


@contextmanager
def standard_output() -> Iterator[None]:
    """For what is written to it inside: who reads may leave, as `head` does. Raises ConfigError for other faults."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        # What is still to be flushed when the interpreter ends goes nowhere.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        if not isinstance(error, BrokenPipeError):
            raise ConfigError(f"cannot write to standard output: {error.strerror}") from None


def load(file: Path) -> Results:
    """Return the results of a file that `--save` has written. Raises ConfigError."""
    try:
        return from_json(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"results {str(file)!r}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"results {str(file)!r} are not JSON: {error}") from None


def _wanted(plan: Plan) -> list[tuple[str, Callable[[Results], bytes]]]:
    drawn: list[tuple[str | None, Callable[[Results], bytes]]] = [
        (plan.save, lambda results: json.dumps(results.to_json(), indent=1).encode() + b"\n"),
        (plan.markdown, lambda results: markdown(results).encode()),
        (plan.html, lambda results: html(results).encode()),
        (plan.svg, lambda results: svg(results).encode()),
        (plan.png, png),
    ]
    return [(name, draw) for name, draw in drawn if name]

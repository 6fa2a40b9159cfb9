"""Results on a terminal, or in whatever standard output is: tables within its width, notes, facts.

With rich (the extra `compare`) and a terminal there is colour; the words are the same without.
"""

import importlib
import shutil
import textwrap
from collections.abc import Iterator
from types import ModuleType
from typing import TextIO

from wsgiraw.compare.report.blocks import GAP, Block, blocks
from wsgiraw.compare.report.notes import notes
from wsgiraw.compare.report.rows import NO_BEHAVIOUR, Table, behaviour, facts, numbers
from wsgiraw.compare.report.words import NO_ANSWER
from wsgiraw.compare.results import Results

__all__ = ["show"]

_ASCII = str.maketrans({"–": "-", "×": "x", "µ": "u", "≥": ">=", "≤": "<=", "…": "~", "✓": "+", "✗": "!"})
_NARROWEST, _USUAL = 40, 100


def show(results: Results, file: TextIO, width: int | None = None) -> None:
    """Print everything, at most `width` characters wide; without it, as wide as the terminal."""
    width = max(_NARROWEST, width or shutil.get_terminal_size((_USUAL, 24)).columns)
    plain = all(_encodable(sign, file) for sign in map(chr, _ASCII))
    rich = _rich("console") if file.isatty() and plain else None
    if rich:
        console = rich.Console(file=file, width=width, highlight=False, markup=False, emoji=False)
        for part in _parts(results, width):
            if isinstance(part, Block):
                console.print(_coloured(part))
            else:
                console.print(part[1], style="bold" if part[0] else None, soft_wrap=True)
        return
    for part in _parts(results, width):
        for line in part.lines() if isinstance(part, Block) else [part[1]]:
            text = line if plain else line.translate(_ASCII)
            file.write(text if _encodable(text, file) else ascii(text)[1:-1])
            file.write("\n")


def _encodable(text: str, file: TextIO) -> bool:
    try:
        text.encode(file.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _rich(module: str) -> ModuleType | None:
    try:
        return importlib.import_module(f"rich.{module}")
    except ModuleNotFoundError:
        return None


def _coloured(block: Block) -> object:
    """Return the block as rich draws it, the same text in the same columns."""
    table, text = (importlib.import_module(f"rich.{name}") for name in ("table", "text"))
    drawn = table.Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
    for head, right, width in zip(block.heads, block.right, block.widths, strict=True):
        drawn.add_column(text.Text("\n".join(head)), justify="right" if right else "left", width=width, no_wrap=True)
    for row in block.rows:
        drawn.add_row(*(text.Text(cell, style=_style(cell)) for cell in row))
    return drawn


def _style(cell: str) -> str:
    if cell.startswith("✓"):
        return "green"
    return "red" if cell.startswith("✗") or NO_ANSWER in cell else ""


def _parts(results: Results, width: int) -> Iterator[Block | tuple[bool, str]]:
    """Yield blocks, and lines of text with whether they are headings."""
    for comparison in results.comparisons:
        if any(server.rounds for server in comparison.servers):
            yield from _table(numbers(comparison, results.ceiling), width)
    tables = behaviour(results)
    for table in tables:
        yield from _table(table, width)
    if not tables:
        yield from _wrapped(NO_BEHAVIOUR, width)
        yield False, ""
    remarks = notes(results)
    if remarks:
        yield True, "Notes"
        for remark in remarks:
            yield from _wrapped(remark, width, "* ", "  ")
        yield False, ""
    yield True, "Facts"
    for name, value in facts(results):
        yield from _wrapped(f"{name}: {value}", width, "* ", "  ")


def _table(table: Table, width: int) -> Iterator[Block | tuple[bool, str]]:
    for line in textwrap.wrap(table.title, width):
        yield True, line
    yield False, ""
    for block in blocks(table, width):
        yield block
        yield False, ""


def _wrapped(text: str, width: int, first: str = "", later: str = "") -> Iterator[tuple[bool, str]]:
    for line in textwrap.wrap(text, width, initial_indent=first, subsequent_indent=later, break_on_hyphens=False):
        yield False, line

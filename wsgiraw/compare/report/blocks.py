"""Tables cut to the width of a terminal, into several that each begin with the first columns. It prints nothing."""

import dataclasses
import textwrap
from collections.abc import Iterator, Sequence

from wsgiraw.compare.report.rows import Table
from wsgiraw.compare.report.words import shortened

__all__ = ["GAP", "Block", "blocks"]

GAP = 2
"""Spaces between columns."""


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """Columns that fit beside each other. A head may have several lines; all have as many, empty ones first."""

    heads: list[list[str]]
    rows: list[list[str]]
    right: list[bool]
    widths: list[int]

    def lines(self) -> Iterator[str]:
        """Yield it as text, heads and a rule first."""
        yield from self._aligned([list(line) for line in zip(*self.heads, strict=True)])
        yield (" " * GAP).join("-" * width for width in self.widths)
        yield from self._aligned(self.rows)

    def _aligned(self, rows: Sequence[Sequence[str]]) -> Iterator[str]:
        for row in rows:
            cells = zip(row, self.widths, self.right, strict=True)
            yield (
                (" " * GAP)
                .join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in cells)
                .rstrip()
            )


def blocks(table: Table, width: int) -> Iterator[Block]:
    """Yield a table as blocks of at most `width` characters; what is too long for it is cut off with an ellipsis."""
    columns = [list(column) for column in zip(*table.rows, strict=True)] or [[] for _ in table.heads]
    widest = [max(12, width // 3) if place < table.key else width for place in range(len(columns))]
    for place in range(table.key):
        columns[place] = [shortened(cell, widest[place]) for cell in columns[place]]
    keys = list(range(table.key))
    taken = sum(_width(table.heads[place], columns[place]) + GAP for place in keys)
    room = max(8, width - taken)
    chosen: list[int] = []
    used = 0
    for place in range(table.key, len(columns)):
        columns[place] = [shortened(cell, room) for cell in columns[place]]
        needed = min(_width(table.heads[place], columns[place]), room)
        if chosen and used + GAP + needed > room:
            yield _block(table, columns, keys + chosen, room)
            chosen, used = [], 0
        used += needed + (GAP if chosen else 0)
        chosen.append(place)
    if chosen:
        yield _block(table, columns, keys + chosen, room)


def _width(head: str, cells: Sequence[str]) -> int:
    """What a column needs: its widest cell, or the longest word of its head."""
    return max(map(len, [*cells, *head.split()]), default=0)


def _block(table: Table, columns: Sequence[Sequence[str]], places: Sequence[int], most: int) -> Block:
    widths = [min(_width(table.heads[place], columns[place]), most) for place in places]
    heads = [
        textwrap.wrap(table.heads[place], width, break_on_hyphens=False)
        for place, width in zip(places, widths, strict=True)
    ]
    height = max(map(len, heads))
    return Block(
        [[""] * (height - len(head)) + head for head in heads],
        [[columns[place][row] for place in places] for row in range(len(table.rows))],
        [place in table.right for place in places],
        widths,
    )

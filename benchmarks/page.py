"""Puts measured figures into a page of docs/, between two marks that name them, and touches nothing else there."""

import statistics
from collections.abc import Sequence
from pathlib import Path


def put(page: Path, name: str, text: str) -> None:
    """Replace what stands between the marks `begin: name` and `end: name`. Raises ValueError if they are not there."""
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    before, found, rest = page.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{page} has no place for {name!r}: write {begin} and {end} where it belongs")
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}")


def spread(values: Sequence[float], digits: int) -> str:
    """Median (least-greatest)."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"

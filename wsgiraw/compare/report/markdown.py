"""Results as Markdown, for an issue, a pull request or a README on GitHub."""

import re
from collections.abc import Iterator

from wsgiraw.compare.report.notes import notes
from wsgiraw.compare.report.rows import NO_BEHAVIOUR, Table, behaviour, facts, latencies, numbers
from wsgiraw.compare.results import Results

__all__ = ["markdown"]

_MEANS_SOMETHING = re.compile(r"([\\`*_{}\[\]#|~<>&@$])")


def markdown(results: Results) -> str:
    """Return everything as tables and lists of GitHub Flavored Markdown."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Results) -> Iterator[str]:
    for comparison in results.comparisons:
        if any(server.rounds for server in comparison.servers):
            yield from _table(numbers(comparison, results.ceiling))
            percentiles = latencies(comparison, results.ceiling)
            if percentiles.rows:
                yield from _table(percentiles)
    tables = behaviour(results)
    for table in tables:
        yield from _table(table)
    if not tables:
        yield from (_escaped(NO_BEHAVIOUR), "")
    remarks = notes(results)
    if remarks:
        yield from ("### Notes", "", *(f"* {_escaped(remark)}" for remark in remarks), "")
    yield from ("### Facts", "")
    for name, value in facts(results):
        yield f"* {_escaped(name)}: {_code(value)}"


def _table(table: Table) -> Iterator[str]:
    yield from (f"### {_escaped(table.title)}", "")
    yield _row([_escaped(head) for head in table.heads])
    yield _row(["--:" if place in table.right else "---" for place in range(len(table.heads))])
    for row in table.rows:
        yield _row([_escaped(cell) for cell in row])
    yield ""


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    return _MEANS_SOMETHING.sub(r"\\\1", text)


def _code(text: str) -> str:
    """Return it as code, between more backticks than it has in a row (CommonMark §6.1)."""
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"

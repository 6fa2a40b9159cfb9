"""Notes: what is to be known about what is not ranked, was not measured, or is otherwise than the numbers suggest."""

import itertools
from collections.abc import Iterator

from wsgiraw.compare.ranking import Standing, judge
from wsgiraw.compare.report.words import clean
from wsgiraw.compare.results import Comparison, Results

__all__ = ["notes"]

Note = tuple[str, str]
"""What stands before the applications that it is about, and what behind."""


def notes(results: Results) -> list[str]:
    """Return one line each. What is said of some of the applications names them, what is said of all does not."""
    found = {
        clean(comparison.application): dict.fromkeys(_notes(comparison, results.ceiling))
        for comparison in results.comparisons
    }
    lines = []
    for note in dict.fromkeys(itertools.chain.from_iterable(found.values())):
        about = [application for application, own in found.items() if note in own]
        before, after = note
        lines.append(before + (f" ({', '.join(about)})" if len(about) < len(found) else "") + after)
    return lines


def _notes(comparison: Comparison, ceiling: float) -> Iterator[Note]:
    yield from ((clean(remark), "") for remark in comparison.remarks)
    standings = judge(comparison, ceiling)
    for standing in standings:
        name, note = clean(standing.server.name), clean(standing.server.note)
        if standing.server.state == "absent":
            yield f"{name} is not installed", f": {note}" if note else ""
        elif standing.reason and (standing.server.state != "measured" or standing.server.rounds):
            parts = [clean(standing.reason), note, _errors(standing)]
            yield f"{name} is not ranked", ": " + "; ".join(part for part in parts if part)
        elif note:
            yield name, f": {note}"
    bound = [clean(standing.server.name) for standing in standings if standing.bound]
    if bound:
        yield (
            "generator-bound",
            f": {', '.join(bound)}. The generator was the limit, so each can do at least what is shown; among "
            "themselves they are ranked by CPU per request.",
        )


def _errors(standing: Standing) -> str:
    return ", ".join(f"{count} × {clean(error)}" for error, count in standing.errors.most_common(4))

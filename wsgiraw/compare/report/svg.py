"""A picture for a README: throughput, CPU and the p99 beside stalled clients, a row of charts for each application.

The background is transparent, and the colours follow the reader's light or dark, which GitHub lets pictures do.
"""

from collections.abc import Iterator
from html import escape

from wsgiraw.compare.ranking import judge
from wsgiraw.compare.report.bars import NAMES, STEP, Tails, bars, cpu, drawn, dumbbells, names, tails, throughput
from wsgiraw.compare.report.colours import CHARTS, sheet
from wsgiraw.compare.report.rows import title
from wsgiraw.compare.report.words import amount, clean
from wsgiraw.compare.results import Comparison, Results

__all__ = ["footing", "headings", "svg"]

_WIDTH, _GAP = 880, 14


def svg(results: Results) -> str:
    """Return the picture, a file of its own."""
    parts: list[str] = []
    height = 12.0
    for comparison in results.comparisons:
        panel = list(_panel(comparison, results.ceiling, height))
        if panel:
            parts += panel
            height += 78 + STEP * len(drawn(judge(comparison, results.ceiling)))
    parts.append(f'<text class="soft small" x="4" y="{height + 6:.0f}">{escape(footing(results))}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height + 16:.0f}" role="img" '
        f'aria-labelledby="heading">\n<title id="heading">{escape(_heading(results))}</title>\n'
        f"<style>{sheet(CHARTS)}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def headings(shown: Tails | None) -> tuple[str, str, str]:
    """Return what the three charts show; the last is empty where nothing was measured for it."""
    if shown is None:
        last = ""
    elif shown.stalled:
        last = f"p99 ms: ○ alone, ● with {shown.stalled} stalled"
    else:
        last = f"○ p99 ms at {amount(shown.rate)} requests/s"
    return "requests/s", "CPU µs per request", last


def footing(results: Results) -> str:
    """Return the line below: what a reader needs to take the numbers for what they are."""
    machine = [clean(results.machine[name]) for name in ("cpu", "python") if results.machine.get(name)]
    return " · ".join([*machine, clean(results.began)[:10], "whiskers: least and greatest of all rounds"])


def _heading(results: Results) -> str:
    return "Comparison of WSGI servers: " + ", ".join(clean(one.application) for one in results.comparisons)


def _panel(comparison: Comparison, ceiling: float, top: float) -> Iterator[str]:
    standings = drawn(judge(comparison, ceiling))
    if not standings:
        return
    shown = tails(standings)
    room = (_WIDTH - NAMES - 2 * _GAP) / (3 if shown else 2)
    lefts = [NAMES + (room + _GAP) * place for place in range(3)]
    yield f'<text class="head" x="4" y="{top + 8:.0f}">{escape(title(comparison))}</text>'
    for left, heading in zip(lefts, headings(shown), strict=True):
        yield f'<text class="soft small" x="{left:.1f}" y="{top + 28:.0f}">{escape(heading)}</text>'
    rows = top + 34
    yield from names(standings, rows)
    yield from bars(standings, [throughput(one) for one in standings], lefts[0], rows, room, mark="≥ ")
    yield from bars(standings, [cpu(one) for one in standings], lefts[1], rows, room, reasons=False)
    if shown:
        yield from dumbbells(shown, standings, lefts[2], rows, room)

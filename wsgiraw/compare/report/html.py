"""Results as one page: charts, tables and facts, with nothing that it would have to fetch and no script."""

from collections.abc import Iterable, Iterator
from html import escape

from wsgiraw.compare.ranking import Standing, judge
from wsgiraw.compare.report.bars import NAMES, STEP, bars, cpu, drawn, dumbbells, names, tails, throughput
from wsgiraw.compare.report.colours import CHARTS, LINES, sheet
from wsgiraw.compare.report.curves import HEIGHT, WIDTH, Line, chart
from wsgiraw.compare.report.notes import notes
from wsgiraw.compare.report.rows import NO_BEHAVIOUR, Table, behaviour, facts, label, latencies, numbers
from wsgiraw.compare.report.style import LAYOUT, PAGE
from wsgiraw.compare.report.svg import headings
from wsgiraw.compare.report.words import NO_ANSWER, amount, clean
from wsgiraw.compare.results import Comparison, Results

__all__ = ["html"]

_CHART = 400  # width of a chart of bars, names and all


def html(results: Results) -> str:
    """Return the page, in UTF-8."""
    return "".join(f"{line}\n" for line in _page(results))


def _page(results: Results) -> Iterator[str]:
    applications = ", ".join(clean(comparison.application) for comparison in results.comparisons)
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>WSGI servers compared: {escape(applications)}</title>"
    yield f"<style>{LAYOUT}{sheet(PAGE, CHARTS, lines=True)}</style>\n</head>\n<body>"
    yield f"<h1>WSGI servers compared</h1>\n<p>{escape(_subtitle(results))}</p>"
    colours = _colours(results)
    for comparison in results.comparisons:
        yield from _application(comparison, results.ceiling, colours)
    yield "<h2>Behaviour</h2>\n<p class='soft-text'>What each server does with what clients do.</p>"
    tables = behaviour(results)
    if not tables:
        yield f'<p class="warning">{escape(NO_BEHAVIOUR)}</p>'
    for table in tables:
        if len(tables) > 1:
            yield f"<p class='soft-text'>{escape(table.title)}</p>"
        yield from _table(table, "", "wrapped")
    remarks = notes(results)
    if remarks:
        yield "<h2>Notes</h2>\n<ul>"
        yield from (f"<li>{escape(remark)}</li>" for remark in remarks)
        yield "</ul>"
    yield "<h2>Facts</h2>\n<dl>"
    yield from (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts(results))
    yield "</dl>\n</body>\n</html>"


def _subtitle(results: Results) -> str:
    machine = [clean(results.machine.get(name, "")) for name in ("cpu", "python")]
    return " · ".join(part for part in [clean(results.began)[:16].replace("T", " "), *machine] if part)


def _colours(results: Results) -> dict[str, int]:
    """Give each server a colour, the same everywhere; the first is only for whom the others are compared with."""
    servers = [server.name for comparison in results.comparisons for server in comparison.servers if server.rounds]
    firsts = [
        standing.server.name
        for comparison in results.comparisons
        for standing in judge(comparison, results.ceiling)
        if standing.is_reference
    ]
    first, *others = dict.fromkeys([*firsts[:1], *servers]) or [""]
    return {first: 0, **{name: 1 + place % (len(LINES) - 1) for place, name in enumerate(others)}}


def _application(comparison: Comparison, ceiling: float, colours: dict[str, int]) -> Iterator[str]:
    standings = drawn(judge(comparison, ceiling))
    yield f"<h2>{escape(clean(comparison.application))}</h2>"
    yield f"<p class='soft-text'>{escape(', '.join(map(clean, comparison.requests)))}</p>"
    if not standings:
        yield '<p class="warning">No server was measured.</p>'
        return
    shown = tails(standings)
    words = headings(shown)
    room = _CHART - NAMES
    height = STEP * len(standings) + 4
    speeds = [throughput(one) for one in standings]
    times = [cpu(one) for one in standings]
    yield '<div class="charts">'
    yield from _figure(words[0], _CHART, height, bars(standings, speeds, NAMES, 2, room, mark="≥ "), standings)
    yield from _figure(words[1], _CHART, height, bars(standings, times, NAMES, 2, room), standings)
    if shown:
        yield from _figure(words[2], _CHART, height + 18, dumbbells(shown, standings, NAMES, 2, room), standings)
    yield '</div>\n<div class="charts curves">'
    for rate, stalled in sorted({(one.rate, one.stalled) for standing in standings for one in standing.latency}):
        heading = f"Latency at {amount(rate)} requests/s" + (f", {stalled} clients stalled" if stalled else "")
        lines = [
            Line(clean(standing.server.name), colours[standing.server.name], standing.is_reference, seen)
            for standing in standings
            for seen in standing.latency
            if (seen.rate, seen.stalled) == (rate, stalled)
        ]
        yield from _figure(heading, WIDTH, HEIGHT, chart(lines), [])
    yield "</div>"
    yield from _table(numbers(comparison, ceiling), next((label(one) for one in standings if one.is_reference), ""))
    percentiles = latencies(comparison, ceiling)
    if percentiles.rows:
        yield f"<details><summary>{escape(percentiles.title)}, in numbers</summary>"
        yield from _table(percentiles, "")
        yield "</details>"


def _figure(heading: str, width: int, height: int, parts: Iterable[str], named: list[Standing]) -> Iterator[str]:
    yield f'<figure class="panel"><figcaption>{escape(heading)}</figcaption><div class="scroll">'
    yield f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(heading)}">'
    yield from names(named, 2)
    yield from parts
    yield "</svg></div></figure>"


def _table(table: Table, reference: str, kind: str = "") -> Iterator[str]:
    yield f'<div class="scroll"><table class="{kind}">\n<thead><tr>'
    yield from (f"<th{_number(table, place)}>{escape(head)}</th>" for place, head in enumerate(table.heads))
    yield "</tr></thead>\n<tbody>"
    for row in table.rows:
        yield '<tr class="reference">' if reference and reference in row[: table.key] else "<tr>"
        yield from (_cell(table, place, cell) for place, cell in enumerate(row))
        yield "</tr>"
    yield "</tbody></table></div>"


def _number(table: Table, place: int) -> str:
    return ' class="number"' if place in table.right else ""


def _cell(table: Table, place: int, cell: str) -> str:
    if cell.startswith("✓"):
        return f'<td><span class="good-text">✓</span>{escape(cell[1:])}</td>'
    if cell.startswith("✗"):
        return f'<td class="bad-text">{escape(cell)}</td>'
    if place == table.key - 1:
        return f'<td class="key">{escape(cell)}</td>'
    shown = escape(cell).replace(NO_ANSWER, f'<span class="bad-text">{NO_ANSWER}</span>')
    return f"<td{_number(table, place)}>{shown}</td>"

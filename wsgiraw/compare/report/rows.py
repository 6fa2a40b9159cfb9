"""What reports say, as tables and lines of plain text: the same for a terminal, Markdown and a page. It draws nothing.

Names, notes and answers come from whoever made the results: octets that are no printable text are replaced here, and
each format escapes what means something to it.
"""

import dataclasses
import shlex
from collections.abc import Sequence

from wsgiraw.compare.ranking import Distribution, Standing, judge
from wsgiraw.compare.report.words import amount, clean, mebibytes, milliseconds, ranged, ratio_words
from wsgiraw.compare.results import Comparison, Finding, Results

__all__ = [
    "NO_BEHAVIOUR",
    "Table",
    "behaviour",
    "facts",
    "finding_words",
    "label",
    "latencies",
    "numbers",
    "title",
]

PERCENTILES = (50, 90, 99, 99.9)

NO_BEHAVIOUR = "Behaviour was not checked: nothing here says what these servers do with stalled or hostile clients."


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """Text in rows and columns. The first `key` columns say what a row is about; columns after them are results."""

    title: str
    heads: list[str]
    rows: list[list[str]]
    key: int
    right: frozenset[int] = frozenset()
    """Columns of numbers."""


def title(comparison: Comparison) -> str:
    """What was compared: the application and its requests."""
    requests = [clean(request) for request in comparison.requests]
    shown = ", ".join(requests[:3]) + (f" and {len(requests) - 3} more" if len(requests) > 3 else "")
    return f"{clean(comparison.application)}: {shown}" if shown else clean(comparison.application)


def label(standing: Standing) -> str:
    """A server's name and version."""
    return clean(f"{standing.server.name} {standing.server.version}".strip())


def numbers(comparison: Comparison, ceiling: float) -> Table:
    """Return what was measured of each server that ran, the ranked first."""
    standings = [standing for standing in judge(comparison, ceiling) if standing.server.rounds]
    yardstick = next((clean(standing.server.name) for standing in standings if standing.is_reference), "the first")
    loads = sorted({(one.stalled, one.rate) for standing in standings for one in standing.latency})
    several = len({rate for _, rate in loads}) > 1
    heads = ["#", "server", "requests/s (min–max)", f"to {yardstick}", "CPU µs per request (min–max)"]
    heads += [_load(stalled, rate, several) for stalled, rate in loads]
    heads += ["peak MiB", "requests per connection", "errors"]
    rows = []
    for standing in standings:
        found = {(one.stalled, one.rate): one for one in standing.latency}
        rows.append(
            [
                "–" if standing.rank is None else str(standing.rank),
                label(standing),
                ("≥ " if standing.bound else "") + ranged(standing.throughput),
                ratio_words(standing, any(one.bound for one in standings if one.is_reference)),
                ranged(standing.cpu),
                *(_tail(found.get(load)) for load in loads),
                mebibytes(standing.peak.median) if standing.peak else "",
                amount(standing.reuse.median) if standing.reuse else "",
                str(standing.errors.total()),
            ]
        )
    right = frozenset(range(len(heads))) - {1, 3}
    return Table(title(comparison), heads, rows, 2, right)


def _load(stalled: int, rate: float, several: bool) -> str:
    at = f" at {amount(rate)}/s"
    return f"p99 ms, {stalled} stalled{at if several else ''}" if stalled else f"p50 / p99 ms{at}"


def _tail(one: Distribution | None) -> str:
    if one is None:
        return ""
    p99 = milliseconds(one.percentile(99))
    return p99 if one.stalled else f"{milliseconds(one.percentile(50))} / {p99}"


def latencies(comparison: Comparison, ceiling: float) -> Table:
    """Return percentiles at each rate, in milliseconds, for where there is room for them."""
    rows = []
    for standing in judge(comparison, ceiling):
        for one in standing.latency:
            load = amount(one.rate) + (f", {one.stalled} stalled" if one.stalled else "")
            percentiles = [milliseconds(one.percentile(percent)) for percent in PERCENTILES]
            rows.append([clean(standing.server.name), load, *percentiles, str(one.missing)])
    heads = ["server", "requests/s sent", *(f"p{percent:g} ms" for percent in PERCENTILES), "without right answer"]
    return Table(f"Latency of {clean(comparison.application)}", heads, rows, 1, frozenset(range(2, len(heads))))


def behaviour(results: Results) -> list[Table]:
    """Return what servers do with what clients do: a table, or one for each application where they differ."""
    tables: list[tuple[list[str], list[list[str]], list[str]]] = []
    for comparison in results.comparisons:
        checks = list(dict.fromkeys(finding.check for server in comparison.servers for finding in server.behaviour))
        if not checks:
            continue
        rows = []
        for server in comparison.servers:
            if server.behaviour:
                found = {finding.check: finding for finding in server.behaviour}
                cells = [finding_words(found[check]) if check in found else "" for check in checks]
                rows.append([clean(server.name), *cells])
        heads = ["server", *map(clean, checks)]
        for those, these, applications in tables:
            if (those, these) == (heads, rows):
                applications.append(clean(comparison.application))
                break
        else:
            tables.append((heads, rows, [clean(comparison.application)]))
    return [
        Table(f"Behaviour ({', '.join(names)})" if len(tables) > 1 else "Behaviour", heads, rows, 1)
        for heads, rows, names in tables
    ]


def finding_words(finding: Finding) -> str:
    """A mark for the eye, and what happened in words: no colour carries it alone."""
    mark = {True: "✓", False: "✗", None: "?"}[finding.good]
    return f"{mark} {clean(finding.answer) or {True: 'good', False: 'bad', None: 'not checked'}[finding.good]}"


def facts(results: Results) -> list[tuple[str, str]]:
    """Return what is needed to judge the numbers and to get them again."""
    pairs = [
        ("command", shlex.join(results.command)),
        ("made by", f"wsgiraw {results.version}"),
        ("began", results.began),
        *results.machine.items(),
        ("plan", _listed(results.plan)),
        ("generator ceiling", f"{amount(results.ceiling)} requests/s" if results.ceiling else "unknown"),
        ("versions", ", ".join(f"{name} {version}" for name, version in results.versions.items())),
    ]
    for comparison in results.comparisons:
        pairs.append((f"requests of {comparison.application}", "; ".join(comparison.requests)))
    for comparison in results.comparisons:
        for server in comparison.servers:
            if server.command:
                pairs.append((server.name, f"{server.shape}: {shlex.join(server.command)}".removeprefix(": ")))
    return [(clean(name), clean(value)) for name, value in dict.fromkeys(pairs) if value]


def _listed(plan: dict[str, object]) -> str:
    return ", ".join(
        f"{name} {_plain(value)}".removesuffix(" True")
        for name, value in plan.items()
        if value is not False and value not in (None, "", [], ())
    )


def _plain(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)

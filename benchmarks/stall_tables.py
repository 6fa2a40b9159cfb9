"""The tables of stalls.py: a row for each stall, a column for each server. It measures nothing."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from phases import STALLS, TLS

SAMPLE = dict[str, Any]
Results = dict[str, dict[str, list[SAMPLE]]]
"""By stall and server, the samples of all rounds."""
Cell = Callable[[Sequence[SAMPLE]], str]


def ratio(sample: SAMPLE, key: str) -> float:
    """How many times as long it takes among the crowd."""
    alone, among = float(sample["alone"][key]), float(sample["among"][key])
    return among / alone if math.isfinite(alone) else math.nan


def number(value: float, digits: int = 1) -> str:
    """For ever is no answer."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "no answer"


def times(key: str) -> Callable[[Sequence[SAMPLE]], str]:
    """A cell with a ratio of p99 and, in parentheses, of the median."""
    return lambda samples: " ".join(
        wrap.format(number(statistics.median(ratio(sample, f"{key}_{which}") for sample in samples)))
        for which, wrap in (("p99", "{}"), ("p50", "({})"))
    ).replace("no answer (no answer)", "no answer")


def held(samples: Sequence[SAMPLE]) -> str:
    """Threads that the crowd holds, of those that were there without it."""
    alone = max(sample["alone"]["together"] for sample in samples)
    return f"{max(alone - min(sample['among']['together'] for sample in samples), 0)} of {alone}"


def memory(samples: Sequence[SAMPLE]) -> str:
    """Growth in MiB, or that there was no end of it."""
    if any(sample["killed"] for sample in samples):
        return "killed"
    return f"{statistics.median(one['among']['pss_kib'] - one['alone']['pss_kib'] for one in samples) / 1024:.1f}"


def arrived(samples: Sequence[SAMPLE]) -> str:
    """Seconds from the first of the crowd until all are connected and the server is at rest."""
    seconds = statistics.median(sample["arrived"]["seconds"] for sample in samples)
    return f"{seconds:.1f}" if all(sample["arrived"]["at_rest"] for sample in samples) else f"over {seconds:.0f}"


def dropped(samples: Sequence[SAMPLE]) -> str:
    """How many clients were disconnected, and how many were not let in by the end."""
    if any(sample["killed"] for sample in samples):
        return "killed"
    left = [sample["left"] for sample in samples]
    count = statistics.median(one.get("dropped", 0) for one in left)
    outside = statistics.median(one["clients"] - one["connected"] for one in left)
    few = left[0]["clients"] / 100  # some are always on their way
    return f"{count:.0f}" + (f", {outside:.0f} outside" if outside > few else "")


def alone(key: str) -> Cell:
    """A cell with p99 and, in parentheses, the median without a crowd, in milliseconds."""

    def cell(samples: Sequence[SAMPLE]) -> str:
        p99, p50 = (statistics.median(one["alone"][f"{key}_{which}"] for one in samples) for which in ("p99", "p50"))
        return f"{number(p99, 2)} ({number(p50, 2)}) ms"

    return cell


def table(results: Results, title: str, cell: Cell, first: Mapping[str, Cell]) -> str:
    """One of them, under its title; `first` are rows over all stalls that go before theirs."""
    servers = list(next(iter(results.values())))
    lines = [f"{title}:", "", f"| | {' | '.join(servers)} |", f"|---|{'--:|' * len(servers)}"]
    plain = [row for stall, row in results.items() if stall != TLS] or list(results.values())
    for name, of_all in first.items():
        cells = [[sample for row in plain for sample in row[server]] for server in servers]
        lines.append(f"| {name} | {' | '.join(of_all(samples) if samples else '' for samples in cells)} |")
    for stall, row in results.items():
        title = STALLS[stall].title if stall in STALLS else "all of these at once"
        lines.append(f"| {title} | {' | '.join(cell(row[name]) if row[name] else '' for name in servers)} |")
    return "\n".join(lines)


def tables(results: Results) -> str:
    """All of them."""
    return "\n\n".join(
        [
            table(results, "p99 (median) on kept connections, among ÷ alone", times("kept"), {"alone": alone("kept")}),
            table(results, "p99 (median) of new connections, among ÷ alone", times("new"), {"alone": alone("new")}),
            table(results, "Threads held", held, {}),
            table(results, "Growth of memory, MiB", memory, {}),
            table(results, "Seconds until the crowd is there and the server at rest", arrived, {}),
            table(results, "Stalling clients dropped meanwhile", dropped, {}),
        ]
    )

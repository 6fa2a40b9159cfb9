"""Rows of charts as SVG: a bar with whiskers from least to greatest, or what stalled clients do to a percentile.

Charts stand beside each other, so each draws into a width that it is given, a row for each server from `top` down.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from html import escape

from wsgiraw.compare.ranking import Distribution, Standing
from wsgiraw.compare.report.words import NO_ANSWER, amount, clean, milliseconds, shortened
from wsgiraw.compare.statistics import Spread

__all__ = ["NAMES", "STEP", "Tails", "bars", "cpu", "drawn", "dumbbells", "names", "tails", "throughput"]

STEP = 20
"""Height of a row."""
NAMES = 134
"""Width of the column of ranks and names."""
_THICK = 12
_VALUE = 64  # what the number beside the longest bar needs
_WORDS = 84  # what the words beside a dot at the right end need


@dataclasses.dataclass(frozen=True, slots=True)
class Tails:
    """p99 of each server in milliseconds at one rate: alone, and beside stalled clients; None: not measured."""

    rate: float
    stalled: int
    alone: list[float | None]
    beside: list[float | None]


def drawn(standings: Sequence[Standing]) -> list[Standing]:
    """Return those that have something to show."""
    return [standing for standing in standings if standing.server.rounds]


def throughput(standing: Standing) -> Spread | None:
    """Return what the first chart shows of a server."""
    return standing.throughput


def cpu(standing: Standing) -> Spread | None:
    """Return what the second shows."""
    return standing.cpu


def tails(standings: Sequence[Standing]) -> Tails | None:
    """Return what the third shows: at the lowest rate that was tried beside stalled clients, else at the lowest."""
    loads = sorted({(not one.stalled, one.rate, one.stalled) for standing in standings for one in standing.latency})
    if not loads:
        return None
    _, rate, stalled = loads[0]
    return Tails(
        rate,
        stalled,
        [_p99(standing.latency, rate, 0) for standing in standings],
        [_p99(standing.latency, rate, stalled) if stalled else None for standing in standings],
    )


def _p99(latency: Sequence[Distribution], rate: float, stalled: int) -> float | None:
    return next((one.percentile(99) / 1000 for one in latency if (one.rate, one.stalled) == (rate, stalled)), None)


def names(standings: Sequence[Standing], top: float) -> Iterator[str]:
    """Yield ranks and names, to the left of what other charts show."""
    for place, standing in enumerate(standings):
        y = top + STEP * place + STEP / 2 + 4
        name = clean(standing.server.name)
        strength = " strong" if standing.is_reference else ""
        rank = "–" if standing.rank is None else str(standing.rank)
        yield f'<text class="soft small end" x="16" y="{y:.1f}">{rank}</text>'
        yield f'<text class="name{strength}" x="24" y="{y:.1f}">{escape(shortened(name, 16))}'
        yield f"<title>{escape(f'{name} {clean(standing.server.version)}')}</title></text>"


def bars(
    standings: Sequence[Standing],
    spreads: Sequence[Spread | None],
    left: float,
    top: float,
    width: float,
    *,
    mark: str = "",
    reasons: bool = True,
) -> Iterator[str]:
    """Yield a bar for each server that is ranked, and for the others the reason in its place.

    `mark` goes before the numbers of those at whom the generator was the limit; once is enough for `reasons`.
    """
    most = max(
        (spread.greatest for standing, spread in zip(standings, spreads, strict=True) if spread and standing.rank),
        default=0.0,
    )
    scale = (width - _VALUE) / most if most else 0.0
    yield f'<path class="grid" d="M{left:.1f} {top}v{STEP * len(standings)}"/>'
    for place, (standing, spread) in enumerate(zip(standings, spreads, strict=True)):
        middle = top + STEP * place + STEP / 2
        if standing.rank is None and not reasons:
            continue
        if standing.rank is None:
            reason = shortened(clean(standing.reason), int(width / 6.2))
            yield f'<text class="soft small" x="{left + 6:.1f}" y="{middle + 4:.1f}">{escape(reason)}</text>'
        elif spread:
            length = spread.median * scale
            low, high = left + spread.least * scale, left + spread.greatest * scale
            kind = "bar first" if standing.is_reference else "bar"
            words = (mark if standing.bound else "") + amount(spread.median)
            strength = ' class="strong"' if standing.is_reference else ""
            yield (
                f'<rect class="{kind}" x="{left:.1f}" y="{middle - _THICK / 2:.1f}" width="{length:.1f}" '
                f'height="{_THICK}" rx="1.5"/>'
                f'<path class="whisker" d="M{low:.1f} {middle:.1f}H{high:.1f}'
                f'M{low:.1f} {middle - 3:.1f}v6M{high:.1f} {middle - 3:.1f}v6"/>'
                f'<text{strength} x="{high + 6:.1f}" y="{middle + 4:.1f}">{words}</text>'
            )


def dumbbells(shown: Tails, standings: Sequence[Standing], left: float, top: float, width: float) -> Iterator[str]:
    """Yield p99 alone as a ring and beside stalled clients as a dot, on a logarithmic scale."""
    finite = [value for value in (*shown.alone, *shown.beside) if value is not None and 0 < value < math.inf]
    low = 10 ** math.floor(math.log10(min(finite, default=1)))
    high = max(10 ** math.ceil(math.log10(max(finite, default=1))), low * 10)
    room = width - _WORDS
    bottom = top + STEP * len(standings)

    def across(value: float) -> float:
        return left + 4 + room * min(1.0, math.log(value / low) / math.log(high / low)) if value > 0 else left + 4

    decade = low
    while decade <= high * 1.001:
        x = across(decade)
        yield f'<path class="grid" d="M{x:.1f} {top}V{bottom}"/>'
        yield f'<text class="soft small middle" x="{x:.1f}" y="{bottom + 13}">{decade:,g}</text>'
        decade *= 10
    for place, (standing, alone, beside) in enumerate(zip(standings, shown.alone, shown.beside, strict=True)):
        y = top + STEP * place + STEP / 2
        if beside is None and alone is None:
            continue
        last = beside if beside is not None else alone
        start, end = across(min(alone or last or low, high)), across(min(last or low, high))
        kind = "first" if standing.is_reference else "bar"
        if beside is not None and alone is not None:
            yield f'<path class="link" d="M{start:.1f} {y:.1f}H{end:.1f}"/>'
        if alone is not None and math.isfinite(alone):
            yield f'<circle class="ring" cx="{start:.1f}" cy="{y:.1f}" r="3.6"/>'
        if beside is not None and math.isfinite(beside):
            yield f'<circle class="{kind}" cx="{end:.1f}" cy="{y:.1f}" r="4.6"/>'
        words = milliseconds((last or 0) * 1000)
        sort = "bad" if words == NO_ANSWER else "strong" if standing.is_reference else ""
        yield f'<text class="{sort}" x="{max(start, end) + 8:.1f}" y="{y + 4:.1f}">{words}</text>'

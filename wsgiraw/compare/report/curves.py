"""Latency percentiles as a chart in SVG, as HdrHistogram plots them: what the last in a thousand wait, drawn apart.

The axis of percentiles is that of log(1 / (1 - p)), so that 90, 99, 99.9 % are equally far from each other; that of
latency is logarithmic, too. A line that leaves through the top leads to requests which got no right answer.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from html import escape

from wsgiraw.compare.percentiles import curve
from wsgiraw.compare.ranking import Distribution
from wsgiraw.compare.report.words import NO_ANSWER, shortened

__all__ = ["HEIGHT", "WIDTH", "Line", "chart"]

WIDTH, HEIGHT = 460, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 124, 26, 40
_LABEL = 13  # from one label to the next
_MOST = 5.0  # 99.999 %: beyond is noise


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """A server's distribution, and which colour it has."""

    name: str
    colour: int
    strong: bool
    seen: Distribution


@dataclasses.dataclass(frozen=True, slots=True)
class _Frame:
    """From percentiles and microseconds to the picture."""

    nines: float
    low: float
    high: float
    open_top: bool
    """Some were never answered: they lie above all that have a time."""

    def x(self, share: float, total: int) -> float:
        nines = math.log10(1 / (1 - share)) if share < 1 else math.log10(max(total, 1))
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * min(nines / self.nines, 1.0)

    def y(self, microseconds: float) -> float:
        top = _TOP + (18 if self.open_top else 0)
        share = math.log(max(microseconds, self.low) / self.low) / math.log(self.high / self.low)
        return (HEIGHT - _BOTTOM) - (HEIGHT - _BOTTOM - top) * min(share, 1.0)


def chart(lines: Sequence[Line]) -> Iterator[str]:
    """Yield the chart of one rate."""
    frame = _frame(lines)
    yield from _axes(frame)
    ends = []
    for line in sorted(lines, key=lambda one: one.strong):
        points = list(_points(line, frame))
        if not points:
            continue
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        kind = "line thick" if line.strong else "line"
        yield f'<path class="{kind} s{line.colour}" d="M{path}"/>'
        ends.append((points[-1], line))
    yield from _labels(ends)


def _frame(lines: Sequence[Line]) -> _Frame:
    bounds = [bound for line in lines for bound, count in line.seen.histogram.items() if count]
    most = max((sum(line.seen.histogram.values()) + line.seen.missing for line in lines), default=1)
    low, high = max(min(bounds, default=100), 1), max(bounds, default=1000)
    return _Frame(
        min(max(math.log10(max(most, 1)), 2.0), _MOST),
        _round_down(low),
        max(_round_up(high), _round_down(low) * 10),
        any(line.seen.missing for line in lines),
    )


def _round_down(value: float) -> float:
    decade = 10.0 ** math.floor(math.log10(value))
    return max(step * decade for step in (1, 2, 5) if step * decade <= value)


def _round_up(value: float) -> float:
    decade = 10.0 ** math.floor(math.log10(value))
    return min(step * decade for step in (1, 2, 5, 10) if step * decade >= value)


def _axes(frame: _Frame) -> Iterator[str]:
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    for percent in (0, 50, 90, 99, 99.9, 99.99, 99.999):
        nines = math.log10(100 / (100 - percent))
        if nines > frame.nines + 0.01:
            break
        x = _LEFT + (right - _LEFT) * min(nines / frame.nines, 1.0)
        yield f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom + 4}"/>'
        yield f'<text class="soft small middle" x="{x:.1f}" y="{bottom + 17}">{percent:g}</text>'
    middle = (_LEFT + right) / 2
    yield f'<text class="soft small middle" x="{middle:.1f}" y="{bottom + 33}">percentile of requests</text>'
    yield f'<text class="soft small end" x="{_LEFT - 6}" y="{_TOP - 10}">latency</text>'
    steps = (1, 2, 5) if frame.high / frame.low < 300 else (1,)
    for exponent in range(10):
        for value in (step * 10**exponent for step in steps):
            if frame.low <= value <= frame.high:
                y = frame.y(value)
                yield f'<path class="grid" d="M{_LEFT} {y:.1f}H{right}"/>'
                yield f'<text class="soft small end" x="{_LEFT - 6}" y="{y + 4:.1f}">{_time(value)}</text>'
    if frame.open_top:
        yield f'<text class="bad small end" x="{right - 2}" y="{_TOP - 4}">{NO_ANSWER} ↑</text>'


def _time(microseconds: float) -> str:
    if microseconds >= 1e6:
        return f"{microseconds / 1e6:g} s"
    return f"{microseconds / 1e3:g} ms" if microseconds >= 1e3 else f"{microseconds:g} µs"


def _points(line: Line, frame: _Frame) -> Iterator[tuple[float, float]]:
    """Yield the way of a line, without points that nobody could tell from the one before."""
    total = sum(line.seen.histogram.values()) + line.seen.missing
    last = (-9.0, -9.0)
    share = 0.0
    for share, bound in curve(line.seen.histogram, line.seen.missing):
        point = frame.x(share, total), frame.y(bound)
        if last == (-9.0, -9.0):
            yield _LEFT, point[1]
        if abs(point[0] - last[0]) + abs(point[1] - last[1]) > 0.5:
            yield point
            last = point
    if line.seen.missing:
        x = frame.x(share, total)
        yield x, frame.y(frame.high) if not share else last[1]
        yield x, _TOP


def _labels(ends: Sequence[tuple[tuple[float, float], Line]]) -> Iterator[str]:
    """Yield names beside the ends of lines, moved apart where they would be on top of each other."""
    ordered = sorted(ends, key=lambda end: (end[0][1], -end[0][0]))
    step = min(_LABEL, (HEIGHT - _TOP) / max(len(ordered), 1))
    heights = [end[1] for end, _ in ordered]
    for place in range(1, len(heights)):
        heights[place] = max(heights[place], heights[place - 1] + step)
    lowest: float = HEIGHT - _BOTTOM + 6
    for place in reversed(range(len(heights))):
        heights[place] = min(heights[place], lowest)
        lowest = heights[place] - step
    right = WIDTH - _RIGHT
    for ((x, y), line), height in zip(ordered, heights, strict=True):
        colour = line.colour
        yield f'<path class="leader s{colour}" d="M{x:.1f} {y:.1f}L{right + 4} {y:.1f}L{right + 12} {height:.1f}"/>'
        strength = "strong " if line.strong else ""
        yield f'<text class="{strength}small t{colour}" x="{right + 15}" y="{height + 4:.1f}">'
        yield f"{escape(shortened(line.name, 17))}<title>{escape(line.name)}</title></text>"

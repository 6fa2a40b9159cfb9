"""Draws who waited how long, as an SVG: a panel for each strategy, a bar for each client from request to answer.

It knows no server and measures nothing. The picture needs no script or font of its own, and is readable on light and
on dark pages: text has the colour that the reader's system prefers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, COLUMNS, MARGIN = 800, 2, 20
BAR, STEP = 6, 8
TITLE, AXIS = 40, 34
HEADER = 56
GREATEST_TICKS = 8

STYLE = """
  svg { color: #1f2328; font: 13px system-ui, sans-serif; }
  text { fill: currentColor; }
  .name { font-weight: 600; font-size: 15px; }
  .small { font-size: 11px; opacity: .75; }
  .waits { fill: currentColor; opacity: .22; }
  .runs { fill: #2f81f7; }
  .grid { stroke: currentColor; opacity: .18; }
  @media (prefers-color-scheme: dark) { svg { color: #e6edf3; } }
"""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request: when the application was called and when the answer was there, in seconds since it was sent."""

    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Panel:
    """The visits to one server."""

    title: str
    visits: Sequence[Visit]


def draw(heading: str, panels: Sequence[Panel]) -> str:
    """The picture, as the text of an SVG file. All panels have the same scale."""
    seconds = max(visit.ended for panel in panels for visit in panel.visits)
    tick = max(math.ceil(round(seconds) / GREATEST_TICKS), 1)
    ticks = range(0, max(round(seconds), tick) + 1, tick)
    width = (WIDTH - MARGIN * (COLUMNS + 1)) / COLUMNS
    height = TITLE + STEP * max(len(panel.visits) for panel in panels) + AXIS
    total = HEADER + height * math.ceil(len(panels) / COLUMNS) + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" role="img" aria-labelledby="heading">',
        f"<style>{STYLE}</style>",
        f'<title id="heading">{escape(heading)}</title>',
        f'<text x="{MARGIN}" y="24">{escape(heading)}</text>',
        f'<rect class="waits" x="{MARGIN}" y="34" width="22" height="{BAR}"/>',
        f'<text class="small" x="{MARGIN + 28}" y="41">waits</text>',
        f'<rect class="runs" x="{MARGIN + 76}" y="34" width="22" height="{BAR}"/>',
        f'<text class="small" x="{MARGIN + 104}" y="41">the application runs</text>',
    ]
    for number, panel in enumerate(panels):
        x = MARGIN + (number % COLUMNS) * (width + MARGIN)
        y = HEADER + (number // COLUMNS) * height
        lines += _panel(panel, x, y, width / max(seconds, ticks[-1]), ticks)
    return "\n".join([*lines, "</svg>", ""])


def _panel(panel: Panel, x: float, y: float, scale: float, ticks: Sequence[int]) -> list[str]:
    """The lines of one panel; `scale` is how wide a second is."""
    top = y + TITLE
    bottom = top + STEP * len(panel.visits)
    last = max(visit.ended for visit in panel.visits)
    lines = [
        f'<text class="name" x="{x:.1f}" y="{y + 22}">{escape(panel.title)}</text>',
        f'<text class="small" x="{x + scale * ticks[-1]:.1f}" y="{y + 22}" text-anchor="end">'
        f"last answer after {last:.1f} s</text>",
    ]
    for tick in ticks:
        at = x + tick * scale
        anchor = {ticks[0]: "start", ticks[-1]: "end"}.get(tick, "middle")
        lines.append(f'<path class="grid" d="M{at:.1f} {top - 4}V{bottom + 2}"/>')
        label = f"{tick} s" if tick == ticks[-1] else tick
        lines.append(f'<text class="small" x="{at:.1f}" y="{bottom + 15}" text-anchor="{anchor}">{label}</text>')
    for row, visit in enumerate(sorted(panel.visits, key=lambda visit: visit.ended)):
        at, began, ended = top + row * STEP, visit.began * scale, visit.ended * scale
        lines.append(f'<rect class="waits" x="{x:.1f}" y="{at}" width="{began:.1f}" height="{BAR}"/>')
        lines.append(
            f'<rect class="runs" x="{x + began:.1f}" y="{at}" width="{max(ended - began, 1):.1f}" height="{BAR}"/>'
        )
    return lines

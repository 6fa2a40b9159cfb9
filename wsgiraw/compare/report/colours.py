"""The colours of page and pictures: each style sheet written once, filled in for light, for dark and for paper."""

from string import Template

__all__ = ["CHARTS", "DARK", "LIGHT", "LINES", "sheet"]

LIGHT = {
    "ink": "#1f2328",
    "soft": "#59636e",
    "rule": "#d1d9e0",
    "bar": "#a3b1bf",
    "first": "#0969da",
    "bad": "#cf222e",
    "good": "#1a7f37",
    "paper": "#ffffff",
    "panel": "#f6f8fa",
}
DARK = {
    "ink": "#e6edf3",
    "soft": "#9da7b3",
    "rule": "#3d444d",
    "bar": "#67727e",
    "first": "#4493f8",
    "bad": "#ff7b72",
    "good": "#56d364",
    "paper": "#0d1117",
    "panel": "#151b23",
}

LINES = (
    ("#0969da", "#4493f8"),
    ("#bc4c00", "#f0883e"),
    ("#1a7f37", "#56d364"),
    ("#8250df", "#bc8cff"),
    ("#bf3989", "#f778ba"),
    ("#0e7a86", "#39c5cf"),
    ("#9a6700", "#e3b341"),
    ("#cf222e", "#ff7b72"),
    ("#57606a", "#b1bac4"),
    ("#4d7c0f", "#a3c93a"),
    ("#7a4b2a", "#d0a27a"),
    ("#3f51b5", "#8fa4ff"),
)
"""One for each server, in light and in dark; the first is for whom the others are compared with."""

CHARTS = Template(
    """
text { fill: $ink; font: 12px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
.soft { fill: $soft; }
.small { font-size: 11px; }
.strong { font-weight: 600; }
.head { font-size: 13px; font-weight: 600; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.bad { fill: $bad; }
.bar { fill: $bar; }
.first { fill: $first; }
.whisker { stroke: $ink; stroke-width: 1.2; fill: none; }
.grid { stroke: $rule; stroke-width: 1; fill: none; }
.link { stroke: $bar; stroke-width: 2; fill: none; }
.ring { fill: none; stroke: $soft; stroke-width: 1.6; }
.line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.leader { fill: none; stroke-width: .8; opacity: .6; }
.thick { stroke-width: 2.8; }
"""
)


def sheet(*templates: Template, lines: bool = False) -> str:
    """Return style sheets for both: paper is light."""
    light, dark = ("".join(template.substitute(colours) for template in templates) for colours in (LIGHT, DARK))
    if lines:
        light, dark = (rules + _lines(which) for which, rules in enumerate((light, dark)))
    return f"{light}@media screen and (prefers-color-scheme: dark) {{{dark}}}\n"


def _lines(which: int) -> str:
    return "".join(
        f".s{place} {{ stroke: {pair[which]}; }} .t{place} {{ fill: {pair[which]}; }}\n"
        for place, pair in enumerate(LINES)
    )

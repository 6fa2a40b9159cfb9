"""The picture of `svg` as PNG, for where no SVG can be shown. matplotlib draws it, which is an extra."""

import importlib
import io
import math
import warnings
from collections.abc import Sequence
from typing import Any

from wsgiraw.compare.ranking import Standing, judge
from wsgiraw.compare.report.bars import Tails, cpu, drawn, tails, throughput
from wsgiraw.compare.report.colours import LIGHT
from wsgiraw.compare.report.rows import title
from wsgiraw.compare.report.svg import footing, headings
from wsgiraw.compare.report.words import NO_ANSWER, amount, clean, milliseconds, shortened
from wsgiraw.compare.results import Results
from wsgiraw.compare.statistics import Spread
from wsgiraw.errors import ConfigError

__all__ = ["MISSING", "png"]

MISSING = "--png needs matplotlib: pip install 'wsgiraw[plot]', or use --svg"


def png(results: Results) -> bytes:
    """Return the picture. Raises ConfigError without matplotlib."""
    try:
        figures: Any = importlib.import_module("matplotlib.figure")
    except ModuleNotFoundError:
        raise ConfigError(MISSING) from None
    panels = [(title(one), drawn(judge(one, results.ceiling))) for one in results.comparisons]
    panels = [(heading, standings) for heading, standings in panels if standings] or [("nothing was measured", [])]
    heights = [max(len(standings), 1) for _, standings in panels]
    figure = figures.Figure(
        figsize=(12, 0.3 * sum(heights) + 1.1 * len(heights) + 0.4), dpi=120, layout="constrained", facecolor="white"
    )
    parts = figure.subfigures(len(panels), 1, height_ratios=[height + 3 for height in heights], squeeze=False)
    for part, (heading, standings) in zip(parts[:, 0], panels, strict=True):
        part.suptitle(_plain(heading), x=0.01, ha="left", fontsize=11, fontweight="bold", color=LIGHT["ink"])
        shown = tails(standings)
        left, middle, *right = part.subplots(1, 3 if shown else 2, sharey=True)
        words = headings(shown)
        _bars(left, words[0], standings, [throughput(one) for one in standings], "≥ ")
        _bars(middle, words[1], standings, [cpu(one) for one in standings], "")
        if shown:
            _dumbbells(right[0], words[2], standings, shown)
        left.set_yticks(range(len(standings)), [_name(standing) for standing in standings], fontsize=9)
        left.set_ylim(max(len(standings), 1) - 0.5, -0.5)
    figure.supxlabel(_plain(footing(results)), x=0.01, ha="left", fontsize=8, color=LIGHT["soft"])
    written = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # it draws a box for what its font does not have
        figure.savefig(written, format="png")
    return written.getvalue()


def _plain(text: str) -> str:
    """Return text in which matplotlib sees no formula."""
    return text.replace("$", r"\$")


def _name(standing: Standing) -> str:
    rank = "–" if standing.rank is None else str(standing.rank)
    return _plain(f"{rank}  {shortened(clean(standing.server.name), 24)}")


def _axes(axes: Any, heading: str) -> None:
    axes.set_title(_plain(heading), loc="left", fontsize=9, color=LIGHT["soft"])
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.spines["left"].set_color(LIGHT["rule"])
    axes.tick_params(axis="y", length=0, colors=LIGHT["ink"])


def _bars(axes: Any, heading: str, standings: Sequence[Standing], spreads: Sequence[Spread | None], mark: str) -> None:
    _axes(axes, heading)
    axes.set_xticks([])
    most = 0.0
    for place, (standing, spread) in enumerate(zip(standings, spreads, strict=True)):
        if standing.rank is None:
            axes.annotate(
                _plain(clean(standing.reason)),
                (0, place),
                (5, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                color=LIGHT["soft"],
            )
        elif spread:
            most = max(most, spread.greatest)
            axes.barh(place, spread.median, height=0.62, color=LIGHT["first" if standing.is_reference else "bar"])
            around = [[spread.median - spread.least], [spread.greatest - spread.median]]
            axes.errorbar(spread.median, place, xerr=around, color=LIGHT["ink"], capsize=2, linewidth=1)
            words = (mark if standing.bound else "") + amount(spread.median)
            _beside(axes, words, spread.greatest, place, standing.is_reference)
    axes.set_xlim(0, most * 1.3 or 1)


def _dumbbells(axes: Any, heading: str, standings: Sequence[Standing], shown: Tails) -> None:
    _axes(axes, heading)
    finite = [value for value in (*shown.alone, *shown.beside) if value is not None and 0 < value < math.inf]
    low, high = min(finite, default=1.0), max(finite, default=1.0)
    axes.set_xscale("log")
    axes.set_xlim(low / 2, high * 12)
    axes.minorticks_off()
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid(axis="x", color=LIGHT["rule"], linewidth=0.6)
    axes.tick_params(axis="x", labelsize=8, colors=LIGHT["soft"])
    for place, (standing, alone, beside) in enumerate(zip(standings, shown.alone, shown.beside, strict=True)):
        last = beside if beside is not None else alone
        if last is None:
            continue
        ends = [min(value, high) for value in (alone, beside) if value is not None]
        axes.plot(ends, [place] * len(ends), color=LIGHT["bar"], linewidth=1.6, zorder=2)
        if alone is not None and math.isfinite(alone):
            axes.plot(alone, place, "o", markersize=5, markerfacecolor="white", color=LIGHT["soft"], zorder=3)
        if beside is not None and math.isfinite(beside):
            axes.plot(
                beside, place, "o", markersize=6, color=LIGHT["first" if standing.is_reference else "bar"], zorder=4
            )
        _beside(axes, milliseconds(last * 1000), max(ends), place, standing.is_reference)


def _beside(axes: Any, words: str, x: float, y: float, strong: bool) -> None:
    axes.annotate(
        words,
        (x, y),
        (6, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
        fontweight="bold" if strong else "normal",
        color=LIGHT["bad" if words == NO_ANSWER else "ink"],
    )

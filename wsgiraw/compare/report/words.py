"""Numbers as people read them, and text that nothing can hide in. It decides nothing."""

import math

from wsgiraw.compare.ranking import Standing
from wsgiraw.compare.statistics import Spread

__all__ = ["NO_ANSWER", "amount", "clean", "mebibytes", "milliseconds", "ranged", "ratio_words", "shortened"]

NO_ANSWER = "no answer"


def clean(text: str) -> str:
    """Return one line of printable text: what a server wrote must not steer a terminal, nor be refused by XML."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def shortened(text: str, width: int) -> str:
    """Return no more than `width` characters of it."""
    return text if len(text) <= width else text[: width - 1] + "…"


def amount(number: float) -> str:
    """Three digits that count, all digits before the point: 52,134, 18.3, 0.42."""
    if number >= 100 or number == 0:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}"


def ranged(spread: Spread | None) -> str:
    """The median, and between what the rounds were."""
    if spread is None:
        return ""
    if spread.least == spread.greatest:
        return amount(spread.median)
    return f"{amount(spread.median)} ({amount(spread.least)}–{amount(spread.greatest)})"


def milliseconds(microseconds: float) -> str:
    """Of microseconds."""
    return NO_ANSWER if math.isinf(microseconds) else amount(microseconds / 1000)


def mebibytes(octets: float) -> str:
    """Of octets."""
    return amount(octets / 2**20)


def ratio_words(standing: Standing, reference_bound: bool) -> str:
    """How fast a server is, the reference being 1: with its interval, or that there is no clear difference."""
    ratio = standing.ratio
    if standing.is_reference:
        return "1"
    if ratio is None:
        return ""
    if standing.rank is None:
        return "not ranked"
    if standing.bound and reference_bound:
        return "generator-bound"
    if math.isinf(ratio.high):
        return f"{amount(ratio.median)}×, one round"
    if not ratio.clear:
        return "no clear difference"
    mark = "≥ " if standing.bound else "≤ " if reference_bound else ""
    return f"{mark}{ratio.median:.2f}× ({ratio.low:.2f}–{ratio.high:.2f})"

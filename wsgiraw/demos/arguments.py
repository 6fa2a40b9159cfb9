"""Kinds of arguments that several demos take. Reads them; does nothing."""

import math
from argparse import ArgumentTypeError

from wsgiraw.flags import FlagParser

__all__ = ["add_seconds", "count"]


def add_seconds(parser: FlagParser) -> None:
    """Add `--seconds`, which the demos of the concurrency chapter sleep where an application would work."""
    parser.add_argument("--seconds", type=seconds, default=1.0, help="What an answer takes [default 1].")


def seconds(text: str) -> float:
    """Read a time span."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if 0 <= value <= 3600:
        return value
    raise ArgumentTypeError(f"{text!r} is no time: give 0 to 3600 seconds")


def count(text: str) -> int:
    """Read how many there shall be."""
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 10_000:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is no number of these: give 1 to 10000")

"""Parts of a file: from a Range field (RFC 9110 §14.2) to slices. It opens nothing."""

import re

__all__ = ["Slice", "parse_ranges"]

Slice = tuple[int, int]
"""Offset and size of a part, the size never 0."""

_RANGE = re.compile(r"(?:([0-9]+)-([0-9]*)|-([0-9]+))")
_DIGITS = 18
"""A longer number is taken for the greatest so long: no file is larger."""

_MOST = 32
"""Ranges in one request; whoever asks for more gets the whole (RFC 9110 §14.2 "Range")."""

_GAP = 128
"""A gap between two ranges that is sent along: a part of its own would cost as many octets (RFC 9110 §15.3.7.2)."""


def parse_ranges(text: str, size: int) -> list[Slice] | None:
    """Return the slices that a Range field asks for, empty where there is none to be had (416); None for the whole.

    The whole is sent for units other than bytes, for what is malformed, for too many ranges, and for a suffix of
    nothing. Slices that overlap or nearly touch become one, so that nobody gets an octet twice; they stand where the
    first of them was asked for.
    """
    unit, equals, specifiers = text.partition("=")
    if not equals or unit.strip().lower() != "bytes" or specifiers.count(",") >= _MOST:
        return None
    asked: list[tuple[int, int, int]] = []
    suffix_of_nothing = False
    for number, specifier in enumerate(specifiers.split(",")):
        specifier = specifier.strip(" \t")
        if not specifier:
            continue  # RFC 9110 §5.6.1.2: empty elements are ignored
        match = _RANGE.fullmatch(specifier)
        if match is None:
            return None
        first, last, suffix = match.groups()
        if first is not None:
            start = _number(first)
            if last and _number(last) < start:
                return None  # RFC 9110 §14.1.1: invalid
            stop = min(_number(last) + 1, size) if last else size
        else:
            start, stop = max(size - _number(suffix), 0), size
            suffix_of_nothing = suffix_of_nothing or (not size and _number(suffix) > 0)
        if start < stop:
            asked.append((start, stop, number))
    if not asked and (suffix_of_nothing or not specifiers.strip(" \t,")):
        return None  # RFC 9110 §14.1.2: a suffix longer than the file is the file, here an empty one
    return _coalesced(asked)


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= _DIGITS else 10**_DIGITS


def _coalesced(asked: list[tuple[int, int, int]]) -> list[Slice]:
    merged: list[tuple[int, int, int]] = []
    for start, stop, number in sorted(asked):
        if merged and start <= merged[-1][1] + _GAP:
            before = merged[-1]
            merged[-1] = (before[0], max(before[1], stop), min(before[2], number))
        else:
            merged.append((start, stop, number))
    merged.sort(key=lambda one: one[2])
    return [(start, stop - start) for start, stop, _ in merged]

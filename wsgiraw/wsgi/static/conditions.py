"""What a client knows of a file already (RFC 9110 §13): whether it is to have it, not again (304), or not at all (412).

Validators are made of the time of the last change and the size. Both can stay the same where a file is changed twice
within one tick of the file system's clock, so they are strong only once that time has passed (§8.8.1, §8.8.2.2).
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from wsgiraw.wsgi.static.dates import http_date, parse_http_date

__all__ = ["Validators", "evaluate", "range_applies", "validators"]

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')  # RFC 9110 §8.8.3

_SETTLED = 2_000_000_000
"""Nanoseconds after which another change would show: the coarsest file system, FAT, counts in 2 s."""


class Validators(NamedTuple):
    """What tells one state of a representation from another."""

    tag: str
    """The opaque tag, with its quotes."""
    strong: bool
    modified: int
    """Seconds since 1970."""
    fields: tuple[tuple[str, str], tuple[str, str]]
    """ETag and Last-Modified."""


def validators(changed: int, size: int, coding: str, now: int) -> Validators:
    """Return those of a file by the time of its last change and that of this moment, in nanoseconds.

    Each content coding is a representation of its own and has its own tag (RFC 9110 §8.8.3.3).
    """
    # RFC 9110 §8.8.2.1: the date is not later than Date.
    return _validators(changed, size, coding, now - changed >= _SETTLED, min(changed, now) // 1_000_000_000)


@lru_cache(1024)
def _validators(changed: int, size: int, coding: str, strong: bool, modified: int) -> Validators:
    tag = f'"{changed:x}-{size:x}-{coding}"' if coding else f'"{changed:x}-{size:x}"'
    etag = tag if strong else f"W/{tag}"
    return Validators(tag, strong, modified, (("ETag", etag), ("Last-Modified", http_date(modified))))


def evaluate(environ: Mapping[str, Any], current: Validators) -> int:
    """Return 200, 304 or 412 for a GET or HEAD of what exists, in the order of RFC 9110 §13.2.2."""
    if (tags := environ.get("HTTP_IF_MATCH")) is not None:
        if not _matches(tags, current, weakly=False):
            return 412
    elif (date := environ.get("HTTP_IF_UNMODIFIED_SINCE")) is not None:
        since = parse_http_date(date)
        if since is not None and current.modified > since:
            return 412
    if (tags := environ.get("HTTP_IF_NONE_MATCH")) is not None:
        if _matches(tags, current, weakly=True):
            return 304
    elif (date := environ.get("HTTP_IF_MODIFIED_SINCE")) is not None:
        since = parse_http_date(date)
        if since is not None and current.modified <= since:
            return 304
    return 200


def range_applies(environ: Mapping[str, Any], current: Validators) -> bool:
    """Return whether what the client has a part of is still the same (RFC 9110 §13.1.5)."""
    condition: str | None = environ.get("HTTP_IF_RANGE")
    if condition is None:
        return True
    if condition.endswith('"'):
        return current.strong and condition == current.tag
    return current.strong and condition == http_date(current.modified)


def _matches(tags: str, current: Validators, *, weakly: bool) -> bool:
    """Compare as RFC 9110 §8.8.3.2 says. A weak tag matches nothing strongly, its own neither."""
    if tags.strip() == "*":
        return True
    if not (weakly or current.strong):
        return False
    return any(f'"{opaque}"' == current.tag and (weakly or not weak) for weak, opaque in _TAG.findall(tags))

"""HTTP dates (RFC 9110 §5.6.7): written in one form, read in the three that there are, always in UTC."""

import calendar
import re
import time
from email.utils import formatdate

__all__ = ["http_date", "parse_http_date"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"

_FORMS = (
    re.compile(rf"{_DAY}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT"),  # IMF-fixdate
    re.compile(rf"[A-Z][a-z]{{2,5}}day, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT"),  # rfc850-date
    re.compile(rf"{_DAY} {_MONTH} (?P<day>[0-9 ][0-9]) {_TIME} (?P<year>[0-9]{{4}})"),  # asctime-date
)


_FIRST, _LAST = -62_135_596_800, 253_402_300_799
"""The beginning of the year 1 and the end of 9999: file systems know times that a date has no digits for."""


def http_date(seconds: int) -> str:
    """Return a time in seconds since 1970 as IMF-fixdate, or the nearest that it can say."""
    return formatdate(min(max(seconds, _FIRST), _LAST), usegmt=True)


def parse_http_date(text: str) -> int | None:
    """Return the seconds since 1970; None for what is no HTTP-date."""
    match = next(filter(None, (form.fullmatch(text) for form in _FORMS)), None)
    if match is None:
        return None
    day, hour, minute, second = (int(match[name]) for name in ("day", "hour", "minute", "second"))
    year = int(match["year"])
    if len(match["year"]) == 2:  # a year that seems to be over 50 years ahead was in the century before
        this_year = time.gmtime().tm_year
        year += this_year // 100 * 100
        year -= 100 * (year > this_year + 50)
    month = _MONTHS.index(match["month"]) + 1
    if not (year > 0 and 1 <= day <= calendar.monthrange(year, month)[1] and hour < 24 and minute < 60 and second < 61):
        return None
    return calendar.timegm((year, month, day, hour, minute, second))

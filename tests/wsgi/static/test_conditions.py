"""304 and 412: what a client knows already, in the order of RFC 9110 §13.2.2."""

import os
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wsgi.static.site import LONG_AGO, call
from wsgiraw import Static
from wsgiraw.wsgi.static.conditions import validators
from wsgiraw.wsgi.static.dates import http_date, parse_http_date

TAG = f'"{LONG_AGO * 10**9:x}-a"'
THEN = "Tue, 14 Nov 2023 22:13:20 GMT"
BEFORE = "Tue, 14 Nov 2023 22:13:19 GMT"
AFTER = "Wed, 15 Nov 2023 00:00:00 GMT"


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({}, 200),
        ({"IF_MATCH": TAG}, 200),
        ({"IF_MATCH": f'"x", {TAG}'}, 200),
        ({"IF_MATCH": "*"}, 200),
        ({"IF_MATCH": '"x"'}, 412),
        ({"IF_MATCH": '"*"'}, 412),
        ({"IF_MATCH": f"W/{TAG}"}, 412),
        ({"IF_MATCH": ""}, 412),
        ({"IF_MATCH": TAG.strip('"')}, 412),
        ({"IF_NONE_MATCH": TAG}, 304),
        ({"IF_NONE_MATCH": f"W/{TAG}"}, 304),
        ({"IF_NONE_MATCH": f'"x",W/"y" , {TAG}'}, 304),
        ({"IF_NONE_MATCH": " * "}, 304),
        ({"IF_NONE_MATCH": '"x"'}, 200),
        ({"IF_MODIFIED_SINCE": THEN}, 304),
        ({"IF_MODIFIED_SINCE": AFTER}, 304),
        ({"IF_MODIFIED_SINCE": BEFORE}, 200),
        ({"IF_MODIFIED_SINCE": "Tuesday, 14-Nov-23 22:13:20 GMT"}, 304),
        ({"IF_MODIFIED_SINCE": "Tue Nov 14 22:13:20 2023"}, 304),
        ({"IF_MODIFIED_SINCE": "yesterday"}, 200),
        ({"IF_UNMODIFIED_SINCE": THEN}, 200),
        ({"IF_UNMODIFIED_SINCE": BEFORE}, 412),
        ({"IF_UNMODIFIED_SINCE": "yesterday"}, 200),
        # The order: If-Match before If-Unmodified-Since, which is then ignored; then If-None-Match, likewise.
        ({"IF_MATCH": TAG, "IF_UNMODIFIED_SINCE": BEFORE}, 200),
        ({"IF_MATCH": '"x"', "IF_UNMODIFIED_SINCE": THEN}, 412),
        ({"IF_MATCH": '"x"', "IF_NONE_MATCH": TAG}, 412),
        ({"IF_MATCH": TAG, "IF_NONE_MATCH": TAG}, 304),
        ({"IF_UNMODIFIED_SINCE": BEFORE, "IF_NONE_MATCH": TAG}, 412),
        ({"IF_NONE_MATCH": '"x"', "IF_MODIFIED_SINCE": THEN}, 200),
        ({"IF_NONE_MATCH": TAG, "IF_MODIFIED_SINCE": BEFORE}, 304),
        ({"IF_NONE_MATCH": TAG, "RANGE": "bytes=0-0"}, 304),
        ({"IF_MATCH": '"x"', "RANGE": "bytes=0-0"}, 412),
        ({"IF_MATCH": TAG, "RANGE": "bytes=0-0"}, 206),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_conditions(static: Static, conditions: dict[str, str], status: int, method: str) -> None:
    """Each alone, and together."""
    answer = call(static, "/small.txt", method, **{f"HTTP_{name}": value for name, value in conditions.items()})
    assert answer.status == (200 if status == 206 and method == "HEAD" else status)
    if answer.status in (200, 304):
        assert (answer.field("ETag"), answer.field("Last-Modified")) == (TAG, THEN)
        assert (answer.field("Cache-Control"), answer.field("Vary")) == ("no-cache", "Accept-Encoding")
    if answer.status != 206:
        assert answer.body == (b"0123456789" if (method, status) == ("GET", 200) else answer.body)
        assert method == "GET" or not answer.body


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (TAG, 206),
        (f"W/{TAG}", 200),
        ('"x"', 200),
        (THEN, 206),
        (AFTER, 200),
        (BEFORE, 200),
        ("", 200),
        (TAG.strip('"'), 200),
    ],
)
def test_if_range(static: Static, condition: str, status: int) -> None:
    """A part is given only to who has the rest of the same file; RFC 9110 §13.1.5 wants it exact."""
    answer = call(static, "/small.txt", HTTP_RANGE="bytes=2-4", HTTP_IF_RANGE=condition)
    assert (answer.status, answer.body) == ((206, b"234") if status == 206 else (200, b"0123456789"))


def test_if_range_alone(static: Static) -> None:
    """It says nothing without Range."""
    assert call(static, "/small.txt", HTTP_IF_RANGE='"x"').status == 200


def test_each_coding_has_its_tag(static: Static) -> None:
    """And what is known of one says nothing of another."""
    tags = {coding: call(static, "/app.js", HTTP_ACCEPT_ENCODING=coding).field("ETag") for coding in ("", "br", "gzip")}
    assert len(set(tags.values())) == 3
    known: dict[str, Any] = {"HTTP_IF_NONE_MATCH": tags["br"]}
    assert call(static, "/app.js", HTTP_ACCEPT_ENCODING="br", **known).status == 304
    assert call(static, "/app.js", HTTP_ACCEPT_ENCODING="gzip", **known).status == 200


def test_what_has_just_changed(tmp_path: Path) -> None:
    """Its tag is weak: it could change again without another tag. The weak one is still good for 304."""
    (tmp_path / "new.txt").write_text("new")
    os.utime(tmp_path / "new.txt", (time.time() + 100,) * 2)  # as where clocks differ
    static = Static(tmp_path)
    answer = call(static, "/new.txt")
    tag = answer.field("ETag")
    assert tag is not None
    assert tag.startswith('W/"')
    assert parse_http_date(answer.field("Last-Modified") or "") <= time.time()  # type: ignore[operator]
    assert call(static, "/new.txt", HTTP_IF_NONE_MATCH=tag).status == 304
    assert call(static, "/new.txt", HTTP_IF_MATCH=tag).status == 412
    assert call(static, "/new.txt", HTTP_IF_MATCH="*").status == 200
    for condition in (tag, tag.removeprefix("W/"), answer.field("Last-Modified")):
        assert call(static, "/new.txt", HTTP_RANGE="bytes=0-0", HTTP_IF_RANGE=condition).status == 200


def test_tags_tell_states_apart() -> None:
    """By time, size and coding; the same file has the same on each machine."""
    moment = LONG_AGO * 10**9
    states = [(moment, 1, ""), (moment + 1, 1, ""), (moment, 2, ""), (moment, 1, "br")]
    assert len({validators(*state, moment + 10**10).tag for state in states}) == 4
    assert not validators(moment, 1, "", moment + 1_999_999_999).strong
    assert validators(moment, 1, "", moment + 2_000_000_000).strong


@pytest.mark.parametrize(
    ("moment", "date"), [(-(10**12), "Mon, 01 Jan 0001 00:00:00 GMT"), (10**12, "Fri, 31 Dec 9999 23:59:59 GMT")]
)
def test_times_without_a_date(moment: int, date: str) -> None:
    """A file system may say what no date can: a file with such a time has answers all the same, and its list, too."""
    assert http_date(moment) == date
    assert parse_http_date(date) is not None
    assert validators(moment * 10**9, 1, "", 10**22).fields[1] == ("Last-Modified", date)


YEAR = datetime.now(UTC).year


@given(st.datetimes(datetime(1970, 1, 1), datetime(2370, 1, 1)))
def test_dates_are_read_in_all_forms(moment: datetime) -> None:
    """As they are written (RFC 9110 §5.6.7)."""
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    seconds = int(moment.timestamp())
    text = http_date(seconds)
    assert text == format_datetime(moment, usegmt=True)
    day, _, month, year, at, _ = text.split()
    assert parse_http_date(text) == seconds
    assert parse_http_date(f"{day[:3]} {month} {moment.day:2} {at} {year}") == seconds
    if moment.year // 100 == YEAR // 100 and moment.year <= YEAR + 50:  # what two digits can say
        assert parse_http_date(f"{moment:%A}, {moment.day:02}-{month}-{year[2:]} {at} GMT") == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "Tue, 14 Nov 2023 22:13:20",
        "Tue, 14 Nov 2023 22:13:20 CET",
        "Tue, 14 Nov 2023 22:13:20 +0000",
        "Tue, 31 Feb 2023 22:13:20 GMT",
        "Tue, 00 Nov 2023 22:13:20 GMT",
        "Tue, 14 Nov 2023 24:13:20 GMT",
        "Tue, 14 Nov 2023 22:60:20 GMT",
        "Tue, 14 Nov 2023 22:13:61 GMT",
        "Tue, 14 Nov 0000 22:13:20 GMT",
        "tue, 14 nov 2023 22:13:20 gmt",
        "Tue, 14 Nov 2023 22:13:20 GMT, Tue, 14 Nov 2023 22:13:20 GMT",
        "Tue, 1\u0664 Nov 2023 22:13:20 GMT",
    ],
)
def test_no_dates(text: str) -> None:
    """They are ignored, as RFC 9110 §13.1.3 says."""
    assert parse_http_date(text) is None


def test_years_of_two_digits() -> None:
    """One that seems to be more than 50 years ahead was in the century before."""
    for two in range(100):
        seconds = parse_http_date(f"Sunday, 06-Nov-{two:02} 08:49:37 GMT")
        assert seconds is not None
        year = time.gmtime(seconds).tm_year
        assert year % 100 == two
        assert year in (YEAR // 100 * 100 + two, YEAR // 100 * 100 + two - 100)
        assert year <= YEAR + 50

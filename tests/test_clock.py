"""What time it is: read often, rendered once a second."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from wsgiraw.clock import Clock


class Times:
    """Clocks that a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall = 1_764_045_861.9  # 2025-11-25 04:44:21.9 UTC
        self.monotonic = 1000.0
        monkeypatch.setattr(time, "time", lambda: self.wall)
        monkeypatch.setattr(time, "monotonic", lambda: self.monotonic)

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


def test_now_is_monotonic_time() -> None:
    clock = Clock()
    before = time.monotonic()
    assert before <= clock.update() <= time.monotonic()
    assert clock.now >= before


def test_dates_are_rendered_when_the_second_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    times = Times(monkeypatch)
    clock = Clock()
    assert clock.http_date == "Date: Tue, 25 Nov 2025 04:44:21 GMT\r\n"
    first = clock.http_date
    times.pass_by(0.05)
    assert clock.update() == 1000.05
    assert clock.http_date is first
    times.pass_by(0.05)
    clock.update()
    assert clock.http_date == "Date: Tue, 25 Nov 2025 04:44:22 GMT\r\n"
    times.pass_by(0.9)
    clock.update()
    assert ":22 GMT" in clock.http_date
    times.pass_by(0.1)
    clock.update()
    assert ":23 GMT" in clock.http_date
    times.pass_by(86400)
    clock.update()
    assert clock.http_date == "Date: Wed, 26 Nov 2025 04:44:23 GMT\r\n"


def test_a_wall_clock_that_is_set_back_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    times = Times(monkeypatch)
    clock = Clock()
    times.wall -= 3600
    times.pass_by(1)
    clock.update()
    assert clock.http_date == "Date: Tue, 25 Nov 2025 03:44:22 GMT\r\n"


def test_the_date_is_now() -> None:
    date = parsedate_to_datetime(Clock().http_date.removeprefix("Date: ").strip())
    assert abs(datetime.now(UTC) - date) < timedelta(minutes=1)


@pytest.mark.parametrize(("zone", "rendered"), [("UTC", "04:44:21 +0000"), ("XXX-5:30", "10:14:21 +0530")])
def test_access_logs_have_local_time(monkeypatch: pytest.MonkeyPatch, zone: str, rendered: str) -> None:
    Times(monkeypatch)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert Clock().log_date == f"[25/Nov/2025:{rendered}]"
    finally:
        monkeypatch.undo()
        time.tzset()

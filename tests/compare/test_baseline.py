"""Slower than before: only if no noise explains it, and only where like is compared with like."""

import dataclasses
import json
from pathlib import Path

import pytest

from tests.compare.samples import comparison, one_round, results, server, wide
from wsgiraw.compare.baseline import against, tolerance
from wsgiraw.compare.results import Results, from_json
from wsgiraw.errors import ConfigError

ROUNDS = (990, 1000, 1005, 1010, 995)


def measured(
    scale: float = 1.0, cpu: float = 1.0, name: str = "wsgiraw", errors: dict[str, int] | None = None, **others: object
) -> Results:
    rounds = [one_round(round(one * scale), cpu=cpu * one * scale / 1000, errors=errors) for one in ROUNDS]
    return results(comparison(server(name, rounds)), **others)  # type: ignore[arg-type]


def test_the_same_is_no_failure() -> None:
    verdict = against(measured(), measured(), 0.0)
    assert (verdict.failures, verdict.warnings) == ([], [])
    assert len(verdict.compared) == 2


def test_fewer_answers_are() -> None:
    verdict = against(measured(0.8), measured(), 0.1)
    (failure,) = verdict.failures
    assert failure.startswith("wsgiraw (apps.flask_calc:app), requests/s: -20.0 % (between -2")
    assert failure.endswith("; allowed are 10 %")
    assert not against(measured(0.8), measured(), 0.3).failures


def test_more_cpu_is_and_more_answers_are_not() -> None:
    verdict = against(measured(2.0, cpu=1.3), measured(), 0.1)
    (failure,) = verdict.failures
    assert "CPU per request: +30.0 %" in failure


def test_what_may_be_noise_is_a_warning() -> None:
    noisy = results(comparison(server("wsgiraw", [one_round(one, cpu=one / 1000) for one in (300, 1000, 500)])))
    verdict = against(noisy, measured(), 0.1)
    assert not verdict.failures
    (warning,) = verdict.warnings
    assert "more rounds will tell" in warning


def test_others_count_only_without_wsgiraw() -> None:
    both = [
        results(
            comparison(
                server("wsgiraw", [one_round(1000)] * 3),
                server("wsgiraw-pooled", [one_round(1000)] * 3),
                server("waitress", [one_round(waitress)] * 3),
            )
        )
        for waitress in (500, 1000)
    ]
    assert not against(both[0], both[1], 0.1).failures
    assert len(against(both[0], both[1], 0.1).compared) == 4
    assert against(measured(0.5, name="waitress"), measured(name="waitress"), 0.1).failures


def test_a_server_that_no_longer_answers_rightly_fails() -> None:
    broken = results(comparison(server("wsgiraw", state="failed", note="exited with 1")))
    assert against(broken, measured(), 0.1).failures == [
        "wsgiraw (apps.flask_calc:app) was measured in the baseline, now: exited with 1"
    ]
    assert against(measured(errors={"status 500": 100}), measured(), 0.1).failures


def test_another_machine_or_plan_is_a_warning() -> None:
    before = measured(machine={"cpu": "Another"}, plan={"workers": 4, "rates": ["500"]})
    warnings = against(measured(plan={"workers": 1, "rates": ("500",)}, machine={"cpu": "This"}), before, 0.1).warnings
    assert warnings == [
        "the baseline is of another machine: cpu was 'Another', now 'This'",
        "the baseline is of another plan: workers was 4, now 1",
    ]


def test_another_application_is_a_warning_while_one_is_in_both() -> None:
    (flask,) = measured().comparisons
    now = results(flask, dataclasses.replace(flask, application="new:app"))
    assert against(now, measured(), 0.1).warnings == ["new:app is not in the baseline"]


def test_nothing_in_both_cannot_be_compared() -> None:
    (flask,) = measured().comparisons
    for other in ({"application": "new:app"}, {"requests": ["GET /"]}, {"servers": []}):
        with pytest.raises(ConfigError, match="save a new one with --save"):
            against(results(dataclasses.replace(flask, **other)), measured(), 0.1)  # type: ignore[arg-type]


def test_results_survive_a_file(tmp_path: Path) -> None:
    saved = tmp_path / "results.json"
    saved.write_text(json.dumps(wide().to_json()))
    assert from_json(json.loads(saved.read_text())) == wide()


@pytest.mark.parametrize(("text", "share"), [("10%", 0.1), ("10", 0.1), ("0%", 0.0), ("2.5 %", 0.025)])
def test_a_tolerance(text: str, share: float) -> None:
    assert tolerance(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "much", "-1%", "100%", "nan"])
def test_no_tolerance(text: str) -> None:
    with pytest.raises(ConfigError, match="percentage below 100"):
        tolerance(text)

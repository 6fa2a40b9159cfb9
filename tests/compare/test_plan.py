"""What was asked for: a profile, unless a flag says otherwise."""

import pytest

from wsgiraw.compare.plan import PROFILES, Plan, make_plan
from wsgiraw.errors import ConfigError


@pytest.mark.parametrize("name", PROFILES)
def test_a_flag_comes_before_a_profile(name: str) -> None:
    expected = {**PROFILES[name], "profile": name, "duration": 0.5}
    assert make_plan({"profile": name, "duration": "0.5"}) == Plan(**expected)


def test_standard_is_the_defaults() -> None:
    assert make_plan({}) == Plan()


def test_servers_by_commas_and_again() -> None:
    """What follows cmd: is a command line, commas and all."""
    command = "cmd:a --bind {bind} -x 1,2"
    plan = make_plan({"servers": ["wsgiraw, gunicorn", command], "rates": ["10,20.5"]})
    assert (plan.servers, plan.rates) == (("wsgiraw", "gunicorn", command), ("10", "20.5"))


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"rounds": "0"}, r"rounds 0 is out of range: give 1 to 1000.*\(flag --rounds\)"),
        ({"profile": "fast"}, "not one of quick, standard, full"),
        ({"rates": ["0"]}, "'0' is not a rate: give requests per second"),
        ({"rates": ["many"]}, "'many' is not a rate"),
        ({"generator": "wrc"}, "did you mean 'wrk'"),
    ],
)
def test_what_is_refused(flags: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make_plan(flags)

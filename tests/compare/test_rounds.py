"""One server in one round, where nothing needs to be compared."""

import io

from wsgiraw.compare.entrants import enter
from wsgiraw.compare.plan import make_plan
from wsgiraw.compare.progress import Progress
from wsgiraw.compare.ranking import judge
from wsgiraw.compare.requests import Wanted
from wsgiraw.compare.results import Comparison
from wsgiraw.compare.rounds import Measurement, rate
from wsgiraw.compare.servers.chosen import chosen


def test_at_given_rates() -> None:
    """Then there is no first look; a connection that is closed after each answer is noted."""
    flags = {"rates": ["20,40"], "rounds": "1", "duration": "0.2", "warm_up": "0", "stalled": "0", "connections": "2"}
    plan, wanted = make_plan(flags), Wanted("GET", "/add/2/3", expect=b"5")
    entrants = enter(chosen(["wsgiref"]), "apps.native_calc:app", wanted, plan, None)
    measurement = Measurement("apps.native_calc:app", [wanted], entrants, plan, None, 0.0, Progress(io.StringIO(), 2))
    measurement.agree()
    measurement.run()
    (found,) = [entrant.result() for entrant in entrants]
    assert (found.state, found.note) == ("measured", "closes the connection after each of its answers")
    (standing,) = judge(Comparison(application="", requests=[], servers=[found]), 0.0)
    assert [(one.rate, one.missing) for one in standing.latency] == [(20.0, 0), (40.0, 0)]
    assert standing.reuse is not None
    assert standing.reuse.greatest <= 1
    assert measurement.remarks == []


def test_a_rate_that_nearly_all_can_bear() -> None:
    """Half of the slowest; who is far behind the others does not slow them down, nor is the generator overburdened."""
    assert rate([1000, 4000, 9000], 100_000) == 500
    assert rate([30, 4321, 9000], 100_000) == 430
    assert rate([90_000], 100_000) == 30_000
    assert rate([0.5], 100_000) == 1

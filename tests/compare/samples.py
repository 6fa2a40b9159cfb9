"""Results made of numbers, without a server: what tests of rankings and reports look at."""

import functools
import math
import random
from collections.abc import Sequence

from wsgiraw.compare.results import (
    FORMAT,
    Comparison,
    Finding,
    Latency,
    Load,
    Results,
    Round,
    ServerResult,
)

__all__ = ["comparison", "latency", "one_round", "results", "server", "wide"]

CHECKS = ("stalls", "sigterm", "two-lengths", "chunked", "splitting", "short-body", "pipelining", "half-close")


def latency(
    histogram: dict[int, int], *, rate: float = 500, stalled: int = 0, errors: dict[str, int] | None = None
) -> Latency:
    answered, wrong = sum(histogram.values()), errors or {}
    return Latency(
        rate=rate,
        seconds=2.0,
        sent=answered + sum(wrong.values()),
        answered=answered,
        errors=wrong,
        histogram=histogram,
        generator_busy=0.1,
        stalled=stalled,
    )


def one_round(
    answered: int,
    *,
    cpu: float = 1.0,
    busy: float = 0.5,
    errors: dict[str, int] | None = None,
    connections: int = 32,
    latencies: Sequence[Latency] = (),
) -> Round:
    load = Load(seconds=1.0, answered=answered, connections=connections, errors=errors or {}, generator_busy=busy)
    return Round(load=load, cpu=cpu, peak_pss=30 << 20, latency=list(latencies))


def server(
    name: str,
    rounds: Sequence[Round] = (),
    *,
    state: str = "measured",
    note: str = "",
    version: str = "1.0",
    behaviour: Sequence[Finding] = (),
) -> ServerResult:
    return ServerResult(
        name=name,
        version=version,
        command=["python", "-m", name, "apps.flask_calc:app"] if rounds else [],
        shape="1 process x 8 threads",
        state=state,
        note=note,
        rounds=list(rounds),
        behaviour=list(behaviour),
    )


def comparison(*servers: ServerResult, application: str = "apps.flask_calc:app") -> Comparison:
    return Comparison(application=application, requests=["GET /add/2/3"], servers=list(servers))


def results(*comparisons: Comparison, ceiling: float = 0.0, **others: object) -> Results:
    values: dict[str, object] = {
        "format": FORMAT,
        "version": "0.1.0",
        "began": "2026-11-28T12:00:00+00:00",
        "command": ["wsgiraw", "compare", "apps.flask_calc:app"],
        "plan": {"profile": "standard", "rounds": 5, "duration": 2.0, "workers": 1, "threads": 8, "connections": 32},
        "machine": {"cpu": "A processor", "cores": "2", "kernel": "6.1", "python": "CPython 3.11.2", "load": "0.1"},
        "versions": {"wsgiraw": "0.1.0", "gunicorn": "23.0.0"},
        "ceiling": ceiling,
        "comparisons": list(comparisons),
    }
    return Results(**(values | others))  # type: ignore[arg-type]


# name, version, throughput of the native application, CPU µs, median latency µs, what 50 stalled clients do to it
_SERVERS = (
    ("wsgiraw", "0.1.0", 44000, 21.0, 130, 1.1),
    ("wsgiraw#2", "0.1.0", 44000, 21.0, 130, 1.1),
    ("bjoern", "3.2.2", 58000, 14.0, 90, 1.2),
    ("fastpysgi", "0.4", 61000, 13.0, 85, 1.2),
    ("granian", "2.5.1", 41000, 24.0, 160, 1.3),
    ("uwsgi", "2.0.28", 38000, 24.5, 170, math.inf),
    ("gunicorn-gthread", "23.0.0", 4800, 205.0, 520, math.inf),
    ("gunicorn-sync", "23.0.0", 3900, 240.0, 610, math.inf),
    ("waitress", "3.0.2", 7200, 140.0, 480, 40),
    ("cheroot", "10.0.1", 3300, 290.0, 700, math.inf),
    ("werkzeug", "3.1.3", 1900, 510.0, 1300, 3),
)


APPLICATIONS = ("apps.native_calc:app", "apps.flask_calc:app", "apps.django_calc:app")


@functools.cache
def wide(applications: tuple[str, ...] = APPLICATIONS, requests: int = 100) -> Results:
    """Results of a size that people have: 11 servers under three applications, with everything that can happen."""
    chance = random.Random(1)
    made = []
    for place, application in enumerate(applications):
        extra = (0, 110, 170)[place % 3]
        servers = [_measured(chance, requests, extra, *row) for row in _SERVERS]
        servers.append(
            server("cmd:hypercorn --bind {bind} {app}", [one_round(800, errors={"status 500": 40})] * 3, version="")
        )
        servers.append(server("wsgiref", [one_round(700)] * 3, state="different", note="Content-Type: text/plain"))
        servers.append(server("nginx-unit", state="absent", note="pip install nginx-unit", version=""))
        made.append(comparison(*servers, application=application))
    return results(*made, ceiling=66000)


def _measured(
    chance: random.Random,
    requests: int,
    extra: float,
    name: str,
    version: str,
    speed: float,
    cpu: float,
    middle: float,
    worse: float,
) -> ServerResult:
    speed = 1e6 / (1e6 / speed + extra)
    rounds = []
    for _ in range(5):
        answered = round(speed * chance.gauss(1, 0.015))
        used = answered * (cpu + extra) * chance.gauss(1, 0.01) / 1e6
        quiet = latency(_histogram(chance, middle + extra, requests))
        crowd = _histogram(
            chance, (middle + extra) * min(worse, 50), requests // 100 if math.isinf(worse) else requests
        )
        lost = {"timeout": requests - requests // 100} if math.isinf(worse) else None
        both = [quiet, latency(crowd, stalled=50, errors=lost)]
        rounds.append(one_round(answered, cpu=used, latencies=both, busy=answered / 66000))
    findings = [
        Finding(
            check=check,
            good=None if check == "half-close" and cpu > 500 else cpu < 100 or chance.random() < 0.6,
            answer=chance.choice(("400", "answers all", "lost 3 of 20", "passes it on")),
        )
        for check in CHECKS
    ]
    return server(name, rounds, version=version, behaviour=findings)


def _histogram(chance: random.Random, middle: float, count: int) -> dict[int, int]:
    counts: dict[int, int] = {}
    for _ in range(count):
        value = middle * math.exp(chance.gauss(0, 0.25)) * (1 if chance.random() > 0.01 else chance.uniform(3, 30))
        bound = math.ceil(1.04 ** math.ceil(math.log(value, 1.04)))
        counts[bound] = counts.get(bound, 0) + 1
    return counts

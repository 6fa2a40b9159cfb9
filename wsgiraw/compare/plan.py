"""What is to be compared and how thoroughly: every option of `wsgiraw compare`, declared once. It does nothing."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from wsgiraw.compare.generator.external import BUILT_IN, EXTERNAL
from wsgiraw.errors import ConfigError
from wsgiraw.kinds import INTEGER, LIST, NAME, SECONDS, SWITCH, TEXT
from wsgiraw.options import declared, filled, option

__all__ = ["PROFILES", "Plan", "make_plan"]

PROFILES: dict[str, dict[str, Any]] = {
    "quick": {"rounds": 4, "duration": 0.25, "warm_up": 0.1, "patience": 0.5},
    "standard": {},
    "full": {"rounds": 9, "duration": 5.0, "warm_up": 1.0},
}
"""What a profile sets, unless a flag says otherwise; `standard` is the defaults."""

_SERVERS, _MEASURING, _RESULTS = "Servers", "Measuring", "Results"


def _positive(text: str) -> str:
    try:
        if 0 < float(text) < float("inf"):
            return text
    except ValueError:
        pass
    raise ValueError(f"{text!r} is not a rate: give requests per second, such as 500")


def _several(text: str) -> tuple[str, ...]:
    # What follows cmd: is a command line, commas and all.
    return (text,) if text.startswith("cmd:") else tuple(filter(None, (name.strip() for name in text.split(","))))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All options, checked when constructed. Raises ConfigError; units are seconds."""

    servers: tuple[str, ...] = option(
        (),
        "Servers, separated by commas; without it, all that are installed. wsgiraw-STRATEGY is one of our strategies, "
        "'cmd:uwsgi --http {bind} --module {app}' any other server; {port}, {workers} and {threads} are there, too. "
        "Repeatable.",
        kind=LIST,
        group=_SERVERS,
        flags=("-s",),
        repeatable=True,
        metavar="NAMES",
        split=_several,
        check=filled,
    )
    workers: int = option(1, "Processes of each server.", kind=INTEGER, group=_SERVERS, minimum=1, maximum=1024)
    threads: int = option(
        8,
        "Threads of each process, for servers that have any.",
        kind=INTEGER,
        group=_SERVERS,
        minimum=1,
        maximum=1024,
    )
    profile: str = option(
        "standard",
        "How thoroughly: quick is 4 rounds of a quarter of a second, a minute or so for eight servers; standard is 5 "
        "rounds of 2 s, full is 9 rounds of 5 s.",
        kind=TEXT,
        group=_MEASURING,
        choices=tuple(PROFILES),
        metavar="NAME",
    )
    rounds: int = option(
        5, "How often each server is started and measured.", kind=INTEGER, group=_MEASURING, minimum=1, maximum=1000
    )
    duration: float = option(
        2.0,
        "How long each load lasts: for capacity, and for latency at each rate.",
        kind=SECONDS,
        group=_MEASURING,
        minimum=0.1,
        maximum=3600.0,
    )
    warm_up: float = option(
        0.5, "Load that is not measured, before.", kind=SECONDS, group=_MEASURING, minimum=0.0, maximum=600.0
    )
    patience: float = option(
        5.0,
        "How long answers are waited for once all requests are sent.",
        kind=SECONDS,
        group=_MEASURING,
        minimum=0.1,
        maximum=600.0,
    )
    connections: int = option(
        32, "Connections of the load.", kind=INTEGER, group=_MEASURING, minimum=1, maximum=10000, flags=("-c",)
    )
    close: bool = option(False, "A connection for each request.", kind=SWITCH, group=_MEASURING)
    rates: tuple[str, ...] = option(
        (),
        "Requests per second for latency, separated by commas; without it, what all can bear, or nearly all.",
        kind=LIST,
        group=_MEASURING,
        repeatable=True,
        metavar="NUMBERS",
        split=_several,
        check=_positive,
    )
    stalled: int = option(
        50,
        "Clients who have sent half a request, beside whom latency is measured once more; 0 for none.",
        kind=INTEGER,
        group=_MEASURING,
        minimum=0,
        maximum=10000,
    )
    generator: str = option(
        BUILT_IN,
        "What sends the load for capacity: ours, which checks every octet, or wrk or h2load, which can send more.",
        kind=TEXT,
        group=_MEASURING,
        choices=(BUILT_IN, *EXTERNAL),
        metavar="NAME",
    )
    behaviour: bool = option(
        False, "Check only how the servers behave; measure no speed.", kind=SWITCH, group=_MEASURING
    )
    seed: int = option(
        1, "For the order of the servers in each round.", kind=INTEGER, group=_MEASURING, minimum=0, maximum=2**31
    )
    save: str | None = option(
        None,
        "Save everything, JSON; here and below, - is standard output.",
        kind=NAME,
        group=_RESULTS,
        flags=("-o",),
        metavar="FILE",
    )
    markdown: str | None = option(None, "Write tables.", kind=NAME, group=_RESULTS, metavar="FILE")
    html: str | None = option(None, "Write a page.", kind=NAME, group=_RESULTS, metavar="FILE")
    svg: str | None = option(None, "Draw a picture.", kind=NAME, group=_RESULTS, metavar="FILE")
    png: str | None = option(None, "Draw a picture, by matplotlib.", kind=NAME, group=_RESULTS, metavar="FILE")
    baseline: str | None = option(
        None, "Results saved earlier, to compare with.", kind=NAME, group=_RESULTS, metavar="FILE"
    )
    fail_if_slower: str = option(
        "10%",
        "How much slower than the baseline wsgiraw may be before the exit code is 1.",
        kind=TEXT,
        group=_RESULTS,
        metavar="PERCENT",
    )

    def __post_init__(self) -> None:
        for name, described in declared(Plan).items():
            object.__setattr__(self, name, described.from_value(getattr(self, name)))


def make_plan(flags: Mapping[str, Any]) -> Plan:
    """Return the plan of what flags gave: text, a list of texts, or a bool for each. Raises ConfigError."""
    options = declared(Plan)
    values: dict[str, Any] = {}
    for name, given in flags.items():
        described = options[name]
        try:
            values[name] = described.from_flag(given)
        except ConfigError as error:
            raise ConfigError(f"{error} (flag {described.flag})") from None
    profile = values.get("profile", options["profile"].default)
    return Plan(**{**PROFILES[profile], **values})

"""`wsgiraw compare`: reads the command line, has everything measured, and shows and writes the results.

Exit codes: 0 done, 1 slower than the baseline or nothing could be measured, 2 wrong usage, 130 interrupted.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wsgiraw.compare import baseline, behaviour
from wsgiraw.compare.entrants import Entrant, enter
from wsgiraw.compare.generator import calibrate
from wsgiraw.compare.plan import Plan, make_plan
from wsgiraw.compare.progress import Progress, progress
from wsgiraw.compare.report.html import html
from wsgiraw.compare.report.markdown import markdown
from wsgiraw.compare.report.png import png
from wsgiraw.compare.report.svg import svg
from wsgiraw.compare.report.terminal import show
from wsgiraw.compare.requests import Wanted, given_requests, read_requests
from wsgiraw.compare.results import FORMAT, Comparison, Results, from_json
from wsgiraw.compare.rounds import Measurement, check_behaviour, steps
from wsgiraw.compare.servers.chosen import chosen
from wsgiraw.compare.servers.interruption import interruptible
from wsgiraw.compare.servers.machine import cores, machine, versions
from wsgiraw.errors import ConfigError
from wsgiraw.flags import FlagParser, add_options
from wsgiraw.version import __version__

__all__ = ["main"]

_USAGE = "wsgiraw compare [options] package.module:app ..."
_DESCRIPTION = "Compare servers on your own application: speed, memory and behaviour."
_EPILOG = """\
  wsgiraw compare mysite.web:app                              every server that is installed, GET /
  wsgiraw compare mysite.web:app --profile quick --get /item/7
  wsgiraw compare mysite.web:app --post /items --json '{"id": 7}' --expect '{"ok": true}'
  wsgiraw compare mysite.web:app --servers wsgiraw,gunicorn,'cmd:mine {bind} {app}'
  wsgiraw compare --from results.json --html page.html

What stands behind a request (--json, --data, --header, --expect) belongs to it; a --header before the first
belongs to all. A file has a [[request]] for each, with target and perhaps method, headers, json, data, expect.
"""
_REQUESTS = {
    "get": ("PATH", "Ask for this."),
    "head": ("PATH", "Ask for its head."),
    "post": ("PATH", "Post to this; so do put, patch and delete."),
    "put": ("PATH", ""),
    "patch": ("PATH", ""),
    "delete": ("PATH", ""),
    "json": ("TEXT", "The body of the request before, JSON."),
    "data": ("TEXT", "The body of the request before, a form."),
    "header": ("FIELD", "'Name: value', for the request before, or for all."),
    "expect": ("TEXT", "What the body of its answer must be."),
}


def main(argv: Sequence[str]) -> int:
    """Do what stands behind `wsgiraw compare`; return the exit code. Raises ConfigError."""
    parser = _parser()
    given, unknown = parser.flags(argv)
    if given.pop("help", False):
        sys.stdout.write(parser.format_help())
        return 0
    if unknown is not None:
        raise parser.no_such(unknown)
    applications, flags = given.pop("app", []), given.pop("wanted", [])
    file, saved = given.pop("requests", None), given.pop("from", None)
    plan = make_plan(given)
    earlier = _load(Path(plan.baseline)) if plan.baseline else None
    tolerance = baseline.tolerance(plan.fail_if_slower)
    if saved:
        if applications:
            raise ConfigError("--from draws what was measured before: name no application")
        results = _load(Path(saved))
    else:
        wanted = [*given_requests(flags), *(read_requests(Path(file)) if file else [])]
        command = ["wsgiraw", "compare", *argv]
        with interruptible():
            results = _measured(plan, applications, wanted or [Wanted("GET", "/")], command)
    _write(plan, results)
    show(results, sys.stdout)
    if earlier is None:
        return 0 if any(_found(comparison) for comparison in results.comparisons) else 1
    verdict = baseline.against(results, earlier, tolerance)
    for line in (*verdict.warnings, *verdict.failures, *verdict.compared):
        sys.stderr.write(f"{line}\n")
    return 1 if verdict.failures else 0


def _measured(plan: Plan, applications: Sequence[str], requests: Sequence[Wanted], command: list[str]) -> Results:
    """Measure everything."""
    if not applications and not plan.behaviour:
        raise ConfigError("name an application, as in: wsgiraw compare mysite.web:app --get /")
    peers = chosen(plan.servers)
    began = datetime.now(UTC).isoformat(timespec="seconds")
    facts = machine(plan.workers)  # its load is that before
    pinned = cores(plan.workers)
    for_servers, for_us = pinned or (None, None)
    ready = Wanted("GET", "/")
    subjects = enter(peers, behaviour.APPLICATION, ready, plan, for_servers)
    comparisons, ceiling = [], 0.0
    count = sum(subject.runs for subject in subjects)
    with progress(sys.stderr, steps(plan, count, len(applications))) as shown:
        if not plan.behaviour:
            ceiling = calibrate(connections=plan.connections, seconds=0.5, server_cores=for_servers, cores=for_us)
        check_behaviour([subject for subject in subjects if subject.runs], shown)
        for application in [] if plan.behaviour else applications:
            entrants = enter(peers, application, requests[0], plan, for_servers)
            _measure(plan, requests, entrants, for_us, ceiling, shown)
            for entrant, subject in zip(entrants, subjects, strict=True):
                entrant.behaviour = subject.behaviour
            found = [entrant.result() for entrant in entrants]
            shown_requests = [wanted.shown for wanted in requests]
            comparisons.append(Comparison(application=application, requests=shown_requests, servers=found))
    if plan.behaviour:
        found = [subject.result() for subject in subjects]
        comparisons.append(Comparison(application=behaviour.APPLICATION, requests=[], servers=found))
    return Results(
        format=FORMAT,
        version=__version__,
        began=began,
        command=command,
        plan={name: value for name, value in asdict(plan).items() if value is not None},
        machine=facts,
        versions=versions(),
        ceiling=ceiling,
        comparisons=comparisons,
    )


def _measure(
    plan: Plan,
    requests: Sequence[Wanted],
    entrants: Sequence[Entrant],
    for_us: set[int] | None,
    ceiling: float,
    shown: Progress,
) -> None:
    measurement = Measurement(plan, requests, entrants, for_us, ceiling, shown)
    measurement.run()
    for remark in measurement.remarks:
        shown.say(remark)


def _found(comparison: Comparison) -> bool:
    return any(server.rounds or server.behaviour for server in comparison.servers)


def _load(file: Path) -> Results:
    try:
        return from_json(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"results {str(file)!r}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"results {str(file)!r} are not JSON: {error}") from None


def _write(plan: Plan, results: Results) -> None:
    """Write every file that was asked for; `-` is standard output."""
    drawn: list[tuple[str | None, Callable[[Results], str]]] = [
        (plan.save, lambda results: json.dumps(results.to_json(), indent=1) + "\n"),
        (plan.markdown, markdown),
        (plan.html, html),
        (plan.svg, svg),
    ]
    for name, draw in drawn:
        if name == "-":
            sys.stdout.write(draw(results))
        elif name:
            _put(Path(name), draw(results).encode())
    if plan.png:
        _put(Path(plan.png), png(results))


def _put(file: Path, octets: bytes) -> None:
    try:
        file.write_bytes(octets)
    except OSError as error:
        raise ConfigError(f"cannot write {str(file)!r}: {error.strerror}") from None


class _InOrder(argparse.Action):
    """Keeps requests and what belongs to them in the order in which they were given."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        assert option_string is not None
        kept = getattr(namespace, self.dest, [])
        setattr(namespace, self.dest, [*kept, (option_string.removeprefix("--"), values)])


def _parser() -> FlagParser:
    parser = FlagParser("wsgiraw compare", _USAGE, _DESCRIPTION, _EPILOG)
    parser.add_argument("app", nargs="*", metavar="app", default=[], help="An application, as for wsgiraw.")
    group = parser.add_argument_group("Requests")
    for name, (metavar, text) in _REQUESTS.items():
        group.add_argument(
            f"--{name}",
            dest="wanted",
            metavar=metavar,
            action=_InOrder,
            default=argparse.SUPPRESS,
            help=text or argparse.SUPPRESS,
        )
    group.add_argument("--requests", metavar="FILE", default=argparse.SUPPRESS, help="Requests of a TOML file.")
    add_options(parser, Plan)
    other = parser.add_argument_group("Other")
    other.add_argument("--from", metavar="FILE", default=argparse.SUPPRESS, help="Show saved results once more.")
    other.add_argument("-h", "--help", action="store_true", default=argparse.SUPPRESS, help="Show this help.")
    return parser

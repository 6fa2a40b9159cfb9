"""`wsgiraw compare`: reads the command line, has everything measured, and shows and writes the results.

Exit codes: 0 done, 1 slower than the baseline or nothing could be measured, 2 wrong usage, 130 interrupted.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsgiraw.compare.baseline import against, tolerance
from wsgiraw.compare.comparison import measured
from wsgiraw.compare.output import load, on_standard_output, refuse_unwritable, standard_output, write
from wsgiraw.compare.plan import Plan, make_plan
from wsgiraw.compare.report.terminal import show
from wsgiraw.compare.requests import Wanted, given_requests, read_requests
from wsgiraw.compare.results import Comparison
from wsgiraw.compare.servers.interruption import interruptible
from wsgiraw.errors import ConfigError
from wsgiraw.flags import FlagParser, add_options

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
    if "fail_if_slower" in given and not plan.baseline:
        raise ConfigError("--fail-if-slower is about a baseline: give --baseline FILE, results saved earlier by --save")
    refuse_unwritable(plan)
    earlier = load(Path(plan.baseline)) if plan.baseline else None
    allowed = tolerance(plan.fail_if_slower)
    if saved:
        if applications:
            raise ConfigError("--from draws what was measured before: name no application")
        results = load(Path(saved))
    else:
        requests = [*given_requests(flags), *(read_requests(Path(file)) if file else [])]
        if plan.behaviour and applications:
            sys.stderr.write("--behaviour looks at the servers with an application of its own, not with yours\n")
        with interruptible():
            results = measured(plan, applications, requests or [Wanted("GET", "/")], ["wsgiraw", "compare", *argv])
    with standard_output():
        try:
            write(plan, results)
        finally:  # what could not be written has been measured nevertheless
            if not on_standard_output(plan):
                show(results, sys.stdout)
    if earlier is None:
        return 0 if any(_found(comparison) for comparison in results.comparisons) else 1
    verdict = against(results, earlier, allowed)
    for line in (*verdict.warnings, *verdict.failures, *verdict.compared):
        sys.stderr.write(f"{line}\n")
    return 1 if verdict.failures else 0


def _found(comparison: Comparison) -> bool:
    return any(server.rounds or server.behaviour for server in comparison.servers)


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
    add_options(parser, Plan, variables=False)
    other = parser.add_argument_group("Other")
    other.add_argument("--from", metavar="FILE", default=argparse.SUPPRESS, help="Show saved results once more.")
    other.add_argument("-h", "--help", action="store_true", default=argparse.SUPPRESS, help="Show this help.")
    return parser

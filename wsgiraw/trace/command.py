"""`wsgiraw trace APP METHOD TARGET`: one request without a socket, from octets to octets, shown on the way.

Exit codes: 0; 1 where the application cannot be served, fails, or answers with 5xx. What the server does with sockets, threads
and time is not there: nothing is handed off, nobody is slow, and nothing times out.
"""

import os
import sys
from argparse import SUPPRESS
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsgiraw.clock import Clock
from wsgiraw.config import Config
from wsgiraw.errors import ApplicationError, ConfigError, HTTPError
from wsgiraw.flags import FlagParser, add_option
from wsgiraw.importer import load, set_import_path
from wsgiraw.observe import set_up_error_log
from wsgiraw.options import declared
from wsgiraw.shares import forwarding, limits
from wsgiraw.sources import gather
from wsgiraw.trace.tracer import Tracer, new_connection, open_tracer
from wsgiraw.version import __version__
from wsgiraw.wsgi import FileSegment, Mount

__all__ = ["main"]

_USAGE = "wsgiraw trace [options] package.module:app [METHOD [TARGET]]"
_DESCRIPTION = "Send one request through the server without a socket, and show on stdout what it does."
_EPILOG = """\
  wsgiraw trace apps.flask_calc:app GET /add/2/3
  wsgiraw trace apps.flask_calc:app POST /calc --json '{"op": "add", "arg1": 2, "arg2": 4}'

What it asks for is sent as it is, right or wrong. The server's own options come
from its files and variables. Exit codes: 0, and 1 for an application that fails
or answers with 5xx."""
_OPTIONS = ("factory", "chdir", "pythonpath", "trace_json", "trace_secrets")


def main(argv: Sequence[str]) -> int:
    """Do what stands behind `wsgiraw trace`; return the exit code. Raises ConfigError."""
    parser = _parser()
    if {"-h", "--help"} & set(argv):
        sys.stdout.write(parser.format_help())
        return 0
    given, unknown = parser.flags(argv)
    if unknown is not None:
        raise parser.no_such(unknown)
    octets = request_octets(
        given.pop("method"), given.pop("target"), given.pop("header"), given.pop("data"), given.pop("json")
    )
    application = given.pop("application")
    to_file = given.setdefault("trace_json", "") not in ("", "-")
    config = gather({**given, "app": [application], "trace": True}, os.environ, Path.cwd()).config
    set_up_error_log("-", config.log_level)
    set_import_path(config.chdir, config.pythonpath)
    applications = load(config.app, config.factory)
    application = applications[""] if list(applications) == [""] else Mount(applications)
    return trace(application, octets, config)


def _parser() -> FlagParser:
    parser = FlagParser("wsgiraw trace", _USAGE, _DESCRIPTION, _EPILOG)
    parser.add_argument("application", metavar="app", help="as for wsgiraw itself")
    parser.add_argument("method", metavar="METHOD", nargs="?", default="GET", help="[default GET]")
    parser.add_argument("target", metavar="TARGET", nargs="?", default="/", help="path and query [default /]")
    parser.add_argument(
        *("-H", "--header"), metavar="FIELD", action="append", default=[], help="'Name: value'; repeatable"
    )
    body = parser.add_mutually_exclusive_group()
    what = "a body: text, @FILE, or - for stdin"
    body.add_argument("-d", "--data", metavar="TEXT", default=None, help=what)
    body.add_argument("--json", metavar="TEXT", default=None, help=f"{what}, with the type application/json")
    for name in _OPTIONS:
        add_option(parser, declared(Config)[name])
    return parser

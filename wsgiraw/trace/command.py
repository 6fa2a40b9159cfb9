"""`wsgiraw trace APP METHOD TARGET`: one request without a socket, from octets to octets, shown on the way.

Exit codes: 0; 1 where the application cannot be served or fails, or the answer is 5xx. What the server does with
sockets, threads and time is not there: nothing is handed off, nobody is slow, and nothing times out.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.validate import validator

from wsgiraw.clock import Clock
from wsgiraw.config import Config
from wsgiraw.errors import ApplicationError, ConfigError, HTTPError
from wsgiraw.flags import FlagParser, add_option
from wsgiraw.http11 import State
from wsgiraw.importer import load, set_import_path
from wsgiraw.observe import set_up_error_log
from wsgiraw.options import declared
from wsgiraw.shares import forwarding, limits
from wsgiraw.sources import gather
from wsgiraw.trace.exchange import CONVERSATION
from wsgiraw.trace.tracer import new_connection, open_tracer
from wsgiraw.version import __version__
from wsgiraw.wsgi import Mount

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["main"]

_USAGE = "wsgiraw trace [options] package.module:app [METHOD [TARGET]]"
_DESCRIPTION = "Send one request through the server without a socket, and show on stdout what it does."
_EPILOG = """\
  wsgiraw trace apps.flask_calc:app GET /add/2/3
  wsgiraw trace apps.flask_calc:app POST /calc --json '{"op": "add", "arg1": 2, "arg2": 4}'

The request is sent as it is given, right or wrong. The server's other options
come from its files and variables. Exit codes: 0, and 1 where the application
cannot be served or fails, or the answer is 5xx.
"""
_OPTIONS = ("factory", "chdir", "pythonpath", "lint", "trace_json", "trace_secrets")


def main(argv: Sequence[str]) -> int:
    """Do what stands behind `wsgiraw trace`; return the exit code. Raises ConfigError."""
    parser = _parser()
    if {"-h", "--help"} & set(argv):
        sys.stdout.write(parser.format_help())
        return 0
    given, unknown = parser.flags(argv)
    if unknown is not None:
        raise parser.no_such(unknown)
    application = given.pop("application")
    asked = [given.pop(name) for name in ("method", "target", "header", "data", "json")]
    config = gather({**given, "app": [application], "trace": True}, os.environ, Path.cwd()).config
    octets = request_octets(*asked)
    set_up_error_log("-", config.log_level)
    set_import_path(config.chdir, config.pythonpath)
    applications = load(config.app, config.factory)
    return trace(applications[""] if list(applications) == [""] else Mount(applications), octets, config)


def _parser() -> FlagParser:
    parser = FlagParser("wsgiraw trace", _USAGE, _DESCRIPTION, _EPILOG)
    request = parser.add_argument_group("The request")
    request.add_argument("application", metavar="app", help="what to call, as for wsgiraw itself")
    request.add_argument("method", nargs="?", default="GET", metavar="METHOD", help="[default GET]")
    request.add_argument("target", nargs="?", default="/", metavar="TARGET", help="path and query [default /]")
    request.add_argument(
        *("-H", "--header"), action="append", default=[], metavar="FIELD", help="'Name: value'; repeatable"
    )
    body = request.add_mutually_exclusive_group()
    body.add_argument("-d", "--data", metavar="TEXT", help="a body: text, @FILE, or - for what stdin has")
    body.add_argument("--json", metavar="TEXT", help="the same, with Content-Type: application/json")
    options = parser.add_argument_group("Options")
    for name in _OPTIONS:
        add_option(options, declared(Config)[name])
    return parser


def request_octets(method: str, target: str, lines: Sequence[str], data: str | None, json: str | None) -> bytes:
    """Return a request as a client would send it. `lines` are fields, which come before ours. Raises ConfigError."""
    names = {line.partition(":")[0].strip().lower() for line in lines}
    fields = [] if "host" in names else ["Host: localhost"]
    fields += lines
    body = b""
    if (text := data if json is None else json) is not None:
        body = _body(text)
        if "content-type" not in names:
            fields.append(
                f"Content-Type: {'application/x-www-form-urlencoded' if json is None else 'application/json'}"
            )
        if not names & {"content-length", "transfer-encoding"}:
            fields.append(f"Content-Length: {len(body)}")
    head = "".join(f"{line}\r\n" for line in (f"{method} {target} HTTP/1.1", *fields, ""))
    return head.encode("utf-8", "surrogateescape") + body


def _body(text: str) -> bytes:
    if text == "-":
        return sys.stdin.buffer.read()
    if not text.startswith("@"):
        return text.encode("utf-8", "surrogateescape")
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read the body from {text[1:]}: {error.strerror}") from None


def trace(application: "WSGIApplication", octets: bytes, config: Config) -> int:
    """Have a request answered; return 1 where the application is at fault, else 0."""
    tracer = open_tracer(config, sys.stdout)
    application = tracer.application(application)
    gateway = tracer.gateway(
        validator(application) if config.lint else application,
        limits=limits(config),
        clock=Clock(),
        software=f"wsgiraw/{__version__}",
        errors=sys.stderr,
        server_header=config.server_header,
        lint=config.lint,
        forwarding=forwarding(config),
    )
    environ = gateway.connection_environ(("localhost", "80"), ("127.0.0.1", "0"))
    environ["wsgiraw.client_gone"] = bool  # which says no
    connection = new_connection(gateway, environ)
    connection.receive(octets)
    try:
        while (request := connection.next_request()) is not None or connection.state not in (State.IDLE, State.CLOSED):
            if request is not None:
                for _ in gateway.respond(request, environ, len):
                    pass
            elif not connection.takes_continue():
                connection.receive(b"")
    except HTTPError as error:
        gateway.reject(error, environ)
    except ApplicationError:
        pass  # the trace has it, and the log
    finally:
        connection.close()
        tracer.close()
    return int(environ[CONVERSATION].failed)

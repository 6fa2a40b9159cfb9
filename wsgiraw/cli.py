"""The command `wsgiraw`: flags made from Config's options, help, checks, and exit codes; then server.run.

Exit codes: 0 done, 1 the application cannot be served, 2 wrong usage, 130 interrupted. It serves nothing itself.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from wsgiraw.config import Config
from wsgiraw.config.static import parse_static
from wsgiraw.errors import ApplicationNotFound, ConfigError
from wsgiraw.flags import FlagParser, add_options
from wsgiraw.importer import load, parse_specs, set_import_path
from wsgiraw.sources import CONFIG_VARIABLE, gather, report
from wsgiraw.version import __version__

__all__ = ["main"]

_USAGE = "wsgiraw [options] package.module:app"
_NO_APPLICATION = f"""\
usage: {_USAGE}

  wsgiraw mysite.web:app               serve an application on http://127.0.0.1:8000/
  wsgiraw /=site:app /shop=shop:app    serve several, each at its prefix
  wsgiraw --static public              serve files, beside an application or alone
  wsgiraw --help                       list all options
"""
_EPILOG = f"""\
An application is package.module:app, package.module (its application or app),
package.module:site.app, or a factory: "package.module:create_app('x', debug=True)".

Options can also be set in wsgiraw.toml, under [tool.wsgiraw] in pyproject.toml,
and by the variables in brackets. Flags override variables, and variables files.
{CONFIG_VARIABLE} names a file as --config does.

Subcommands, each with its own --help:
  wsgiraw compare APP    compare servers on your own application
  wsgiraw demo [NAME]    run one of the programs that the server grew out of
  wsgiraw trace APP METHOD TARGET
                         show on the way what one request does, without a socket
"""
_NO_DAEMON = (
    "--daemon is not offered: what starts wsgiraw in the background should also watch it and keep its output; use a "
    "systemd unit, a container, or nohup wsgiraw ... &"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments (default: those of the process) say; returns the exit code."""
    try:
        return _main(sys.argv[1:] if argv is None else argv)
    except ConfigError as error:
        # Only faults in the application's own code carry a note: their traceback.
        for note in getattr(error, "__notes__", ()):
            sys.stderr.write(f"{note}\n")
        sys.stderr.write(f"wsgiraw: {error}\n")
        return 1 if isinstance(error, ApplicationNotFound) else 2
    except KeyboardInterrupt:
        return 130


def _main(argv: Sequence[str]) -> int:
    if argv and argv[0] in _SUBCOMMANDS:
        return _SUBCOMMANDS[argv[0]](argv[1:])
    parser = _parser()
    given, unknown = parser.flags(argv)
    if given.pop("help", False):
        sys.stdout.write(parser.format_help())
        return 0
    if unknown is not None:
        raise ConfigError(_NO_DAEMON) if unknown in ("--daemon", "-D") else parser.no_such(unknown)
    if given.pop("version", False):
        python = f"{platform.python_implementation()} {platform.python_version()}"
        sys.stdout.write(f"wsgiraw {__version__} ({python}, {platform.system()})\n")
        return 0
    print_config, check = given.pop("print_config", False), given.pop("check", False)
    file = given.pop("config", None)
    file = file or os.environ.get(CONFIG_VARIABLE) or None
    settings = gather(given, os.environ, Path.cwd(), file)
    if print_config:
        sys.stdout.write(report(settings))
        return 0
    if not (settings.config.app or settings.config.static):
        sys.stderr.write(_NO_APPLICATION)
        return 2
    if check:
        return _check(settings.config)
    # Imported late, so that help, checks and mistakes need nothing of the server.
    from wsgiraw.launch import run, start_directory

    start = Path(start_directory())

    def reread() -> Config:
        config = gather(given, os.environ, start, file and str(start / file)).pinned
        if not (config.app or config.static):
            raise ConfigError("no application is named any more")
        return config

    return run(settings.pinned, reread)


def _compare(argv: Sequence[str]) -> int:
    from wsgiraw.compare.command import main

    return main(argv)


def _demo(argv: Sequence[str]) -> int:
    from wsgiraw.demos.command import main

    return main(argv)


def _trace(argv: Sequence[str]) -> int:
    from wsgiraw.trace.command import main

    return main(argv)


_SUBCOMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"compare": _compare, "demo": _demo, "trace": _trace}
"""What may stand in the place of an application; each imports what it needs when it is called."""


def _check(config: Config) -> int:
    set_import_path(config.chdir, config.pythonpath)
    applications = load(config.app, config.factory) if config.app else {}
    for prefix, spec in parse_specs(config.app).items() if config.app else ():
        kind = type(applications[prefix])
        mounted = f" at {prefix}" if prefix else ""
        sys.stdout.write(
            f"wsgiraw: yes, {spec} is a WSGI application{mounted} ({kind.__module__}.{kind.__qualname__})\n"
        )
    for prefix, directory in map(parse_static, config.static):
        if not Path(directory).is_dir():
            raise ConfigError(f"static {directory!r}: no such directory: give an existing one")
        sys.stdout.write(f"wsgiraw: yes, {directory} is a directory to be served at {prefix}\n")
    return 0


def _parser() -> FlagParser:
    parser = FlagParser("wsgiraw", _USAGE, "Serve a WSGI application.", _EPILOG)
    add_options(parser, Config)
    other = parser.add_argument_group("Other")
    other.add_argument(
        "-c", "--config", metavar="FILE", default=argparse.SUPPRESS, help="Read this TOML file, no other."
    )
    for flags, text in (
        (("--print-config",), "Show the value of every option and where it came from."),
        (("--check",), "Import the application, say yes or why not, and exit with 0 or 1."),
        (("-v", "--version"), "Show the version."),
        (("-h", "--help"), "Show this help."),
    ):
        other.add_argument(*flags, action="store_true", default=argparse.SUPPRESS, help=text)
    return parser

"""`wsgiraw demo [NAME]`: lists the demos, or starts one with the socket that it accepts from.

Ctrl-C and SIGTERM end a demo with exit code 130, never with a traceback. Knows nothing of what a demo does: its module
has `TRY`, the command to try it with, `serve` or `run`, and, where it needs more than an address, `add_arguments`.
"""

import errno
import importlib
import io
import signal
import socket
import sys
from argparse import ArgumentTypeError
from collections.abc import Sequence
from types import FrameType, ModuleType
from typing import Any, NoReturn

from wsgiraw.errors import ConfigError
from wsgiraw.flags import FlagParser
from wsgiraw.options import did_you_mean

__all__ = ["CHAPTERS", "main"]

ENDING = (signal.SIGINT, signal.SIGTERM)

CHAPTERS = {
    "TCP": ("printer", "greeter", "chat"),
    "HTTP by hand": ("hello", "http10", "inspect", "echo", "calculator"),
    "Many clients": (
        *("load", "iterative", "fork-leaky", "fork-zombies", "fork"),
        *("threads", "nonblocking", "select", "prefork"),
    ),
    "WSGI and files": ("wsgi", "docroot"),
}
"""The demos by the chapter of docs/from-tutorial-to-wsgiraw.md, in its order."""


def main(argv: Sequence[str]) -> int:
    """Do what stands behind `wsgiraw demo`; return the exit code. Raises ConfigError."""
    if not argv or argv[0] in ("-h", "--help"):
        sys.stdout.write(listing())
        return 0
    name = argv[0]
    names = [name for chapter in CHAPTERS.values() for name in chapter]
    if name not in names:
        raise ConfigError(f"there is no demo {name!r}{did_you_mean(name, names) or '; wsgiraw demo lists them'}")
    return start(name, demo(name), argv[1:])


def listing() -> str:
    """Return what demos there are: name, a sentence, and the command to try it with."""
    lines = ["usage: wsgiraw demo NAME [options]; then, in another terminal, the command below it"]
    for chapter, names in CHAPTERS.items():
        lines += ["", f"{chapter}:"]
        for name in names:
            module = demo(name)
            named = f"{name} {getattr(module, 'ARGUMENTS', '')}".rstrip()
            column = f"  {named:14}" if len(named) < 14 else f"  {named}\n  {'':14}"
            lines += [f"{column}{sentence(module)}", f"  {'':14}$ {tried(module, '127.0.0.1', module.PORT)}"]
    return "\n".join(lines) + "\n"


def demo(name: str) -> ModuleType:
    """Import a demo."""
    return importlib.import_module(f"wsgiraw.demos.{name.replace('-', '_')}")


def sentence(module: ModuleType) -> str:
    """Return the first line of a docstring, which `python -OO` leaves out."""
    return (module.__doc__ or "").partition("\n")[0]


def tried(module: ModuleType, host: str, port: int) -> str:
    """Return the command to try a demo with."""
    command: str = module.TRY
    return command.format(host=host, port=port, address=f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def start(name: str, module: ModuleType, argv: Sequence[str]) -> int:
    """Read a demo's arguments and run it until it ends or is interrupted; return the exit code."""
    more = getattr(module, "ARGUMENTS", "")
    usage = f"wsgiraw demo {name} {more}[options]"
    command = f"Try it with:\n  {tried(module, '127.0.0.1', module.PORT)}\n"
    parser = FlagParser(f"wsgiraw demo {name}", usage, module.__doc__ or "", command)
    if hasattr(module, "add_arguments"):
        module.add_arguments(parser)
    where = "Where the server listens" if hasattr(module, "run") else "0 lets the kernel choose"
    parser.add_argument("--host", default="127.0.0.1", help="[default 127.0.0.1]")
    parser.add_argument("--port", type=port_number, default=module.PORT, help=f"{where} [default {module.PORT}]")
    if {"-h", "--help"} & set(argv):
        sys.stdout.write(parser.format_help())
        return 0
    given, unknown = parser.flags(argv)
    if unknown is not None:
        raise parser.no_such(unknown)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what it does is seen as it does it, through a pipe too
    for number in ENDING:
        signal.signal(number, interrupt)
    try:
        return run(name, module, given)
    except OSError as error:  # no descriptor, no process, or nobody any more to print for
        raise ConfigError(f"{name} cannot go on: {error.strerror or error}") from None


def interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """End the demo, once: a second Ctrl-C while it ends would get a traceback."""
    for ending in ENDING:
        signal.signal(ending, lambda number, frame: None)
    raise KeyboardInterrupt


def run(name: str, module: ModuleType, given: dict[str, Any]) -> int:
    """Run a demo, with what it listens on unless it is a client."""
    if hasattr(module, "run"):
        code: int = module.run(**given)
        return code
    with listen(given.pop("host"), given.pop("port")) as listener:
        host, port, *_ = listener.getsockname()
        sys.stdout.write(f"{name} listens on {host} port {port}; try: {tried(module, host, port)}\n")
        served: int | None = module.serve(listener, **given)
        return served or 0


def listen(host: str, port: int, backlog: int = 128) -> socket.socket:
    """Return a socket at which clients can connect, which are then queued until they are accepted."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    # Or the port could not be used again for a minute, while connections that this end has closed first are remembered.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        other = "--port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "--host"
        raise ConfigError(f"{host} port {port}: {error.strerror}: try another with {other}") from None
    listener.listen(backlog)
    return listener


def port_number(text: str) -> int:
    """Read a port."""
    if text.isascii() and text.isdigit() and int(text) <= 65535:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is no port: give 0 to 65535")

"""`cmd:COMMAND`: any other server, by its command line with {bind}, {port}, {app} ... in it. It starts nothing."""

import shlex
import shutil
import string
import sys
from collections.abc import Iterator
from pathlib import Path

from wsgiraw.compare.loopback import HOST
from wsgiraw.compare.servers.peers import Peer, shaped
from wsgiraw.compare.servers.specification import search_path
from wsgiraw.errors import ConfigError
from wsgiraw.options import did_you_mean

__all__ = ["PREFIX", "custom"]

PREFIX = "cmd:"
_PLACEHOLDERS = ("app", "bind", "host", "port", "python", "threads", "workers")


def custom(text: str) -> Peer:
    """Return the server of `cmd:COMMAND`. Raises ConfigError where it is no command line, or cannot listen."""
    try:
        words = shlex.split(text.removeprefix(PREFIX))
    except ValueError as error:
        raise ConfigError(f"{text!r}: {error}: write it as in a shell") from None
    if not words:
        raise ConfigError(f"{text!r} has no command: write 'cmd:uwsgi --http {{bind}} --module {{app}}'")
    used = {name for word in words for name in _placeholders(text, word)}
    if not used & {"bind", "port"}:
        raise ConfigError(f"{text!r} does not say where to listen: give it {{bind}}, which is HOST:PORT, or {{port}}")

    def arguments(application: str, port: int, workers: int, threads: int) -> list[str]:
        values = {
            "app": application,
            "bind": f"{HOST}:{port}",
            "host": HOST,
            "port": port,
            "python": sys.executable,
            "threads": threads,
            "workers": workers,
        }
        return [word.format(**values) for word in words]

    def shape(workers: int, threads: int) -> str:
        return shaped(workers, threads) if used >= {"workers", "threads"} else "as its command line says"

    program = arguments("", 0, 1, 1)[0]
    return Peer(
        name=PREFIX + _name(words),
        distribution="",
        arguments=arguments,
        shape=shape,
        installed=lambda: "of unknown version" if shutil.which(program, path=search_path()) else None,
        pip=f"install {program!r}, which is not on PATH",
    )


def _placeholders(text: str, word: str) -> Iterator[str]:
    """Yield the names in braces. Raises ConfigError for those that there are not."""
    try:
        for _, name, form, conversion in string.Formatter().parse(word):
            if name is None:
                continue
            if name not in _PLACEHOLDERS or form or conversion:
                known = ", ".join(f"{{{known}}}" for known in _PLACEHOLDERS)
                hint = did_you_mean(name, _PLACEHOLDERS) or f": there are {known}"
                raise ConfigError(f"{text!r}: there is no placeholder {{{name}}}{hint}; {{{{ is a brace")
            yield name
    except ValueError:
        raise ConfigError(f"{text!r}: a brace without its other one in {word!r}; {{{{ is a brace itself") from None


def _name(words: list[str]) -> str:
    """The program, or for `{python} -m MODULE` the module."""
    if words[0] == "{python}" and words[1:2] == ["-m"] and len(words) > 2:
        return words[2]
    return Path(words[1] if words[0] == "{python}" and len(words) > 1 else words[0]).name

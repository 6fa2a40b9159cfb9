"""Where values come from: defaults < pyproject.toml < wsgiraw.toml < $PORT and $WEB_CONCURRENCY < WSGIRAW_* < flags.

Reads files and the environment that it is given, remembers the origin of each value, and says which source is wrong.
What a value may be is decided elsewhere (config.py).
"""

import contextlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wsgiraw.config import Config, configure
from wsgiraw.errors import ConfigError
from wsgiraw.options import declared, did_you_mean

__all__ = ["CONFIG_VARIABLE", "Setting", "Settings", "gather", "report"]

# Names a file as --config does; it is no option, because a file cannot name itself.
CONFIG_VARIABLE = "WSGIRAW_CONFIG"
_PREFIX = "WSGIRAW_"


class Setting(NamedTuple):
    """A checked value, and where it was written: `wsgiraw.toml:port`, `environment PORT`, `flag --port`, `default`."""

    value: Any
    origin: str


class Settings(NamedTuple):
    """The configuration, and the origin of each of its values."""

    config: Config
    origins: dict[str, str]

    @property
    def pinned(self) -> Config:
        """The configuration, in which an address that was written down does not look like the default."""
        written = any(self.origins[name] != "default" for name in ("bind", "host", "port"))
        return self.config.pinned() if written else self.config


_Level = dict[str, Setting]


def gather(flags: Mapping[str, Any], environ: Mapping[str, str], directory: Path, file: str | None = None) -> Settings:
    """Combine all sources. `file` (--config) takes the place of the files of `directory`. Raises ConfigError.

    `flags` has text, a list of texts or a bool for each option that was given.
    """
    file = file or environ.get(CONFIG_VARIABLE) or None
    levels = [*_files(directory, file), _platform(environ), _variables(environ), _flags(flags)]
    chosen = _combined(levels)
    config = configure(**{name: setting.value for name, setting in chosen.items()})
    origins = {name: chosen[name].origin if name in chosen else "default" for name in declared(Config)}
    return Settings(config, origins)


def report(settings: Settings) -> str:
    """Every option with its value and origin: lines of TOML, so that they can be pasted into wsgiraw.toml."""
    rows = []
    for name, option in declared(Config).items():
        row = f"{name} = {option.toml(getattr(settings.config, name))}"
        if settings.config.bind and name in ("host", "port"):
            rows.append((f"# {row}", "not used: bind is given"))
        else:
            rows.append((row, settings.origins[name]))
    # A single long value must not push all origins out of sight.
    width = max(len(row) for row, _ in rows if len(row) <= 32)
    return "".join(f"{row:<{width}}  # {origin}\n" for row, origin in rows)


def _combined(levels: Iterable[_Level]) -> _Level:
    chosen: _Level = {}
    for level in levels:
        bound = "bind" in level and bool(level["bind"].value)
        given = [name for name in ("host", "port") if name in level]
        if bound and given:
            raise ConfigError(
                f"bind ({level['bind'].origin}) and {given[0]} ({level[given[0]].origin}) exclude each other: "
                "put the host and port into bind"
            )
        if bound:
            chosen.pop("host", None)
            chosen.pop("port", None)
        if given:
            chosen.pop("bind", None)
        # $PORT opens the server to the network; whoever picks another port has not asked for that.
        if "port" in level and "host" in chosen and chosen["host"].origin == "environment PORT":
            del chosen["host"]
        chosen |= level
    return chosen


def _files(directory: Path, file: str | None) -> list[_Level]:
    if file is not None:
        return [_file(Path(file), file)]
    paths = (directory / "pyproject.toml", directory / "wsgiraw.toml")
    return [_file(path, path.name) for path in paths if path.is_file()]


def _file(path: Path, shown: str) -> _Level:
    try:
        with path.open("rb") as stream:
            table = tomllib.load(stream)
    except OSError as error:
        raise ConfigError(f"configuration file {shown}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"configuration file {shown} is not TOML: {error}") from None
    if path.name == "pyproject.toml":
        tool = table.get("tool", {})
        table = tool.get("wsgiraw", {}) if isinstance(tool, dict) else {}
        if not isinstance(table, dict):
            raise ConfigError(f"{shown}: tool.wsgiraw is not a table: write [tool.wsgiraw]")
    level: _Level = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        origin = f"{shown}:{key}"
        option = declared(Config).get(name)
        if option is None:
            hint = did_you_mean(name, declared(Config))
            raise ConfigError(f"{shown}: there is no option {key!r}{hint or _table_hint(path, key)}")
        if name in level:
            raise ConfigError(f"{shown}: {key!r} and {level[name].origin.rpartition(':')[2]!r} are the same option")
        with _blaming(origin):
            level[name] = Setting(option.from_value(value), origin)
    return level


def _table_hint(path: Path, key: str) -> str:
    return f": in {path.name} the keys stand at the top, without a table" if key in ("tool", "wsgiraw") else ""


def _platform(environ: Mapping[str, str]) -> _Level:
    """$PORT and $WEB_CONCURRENCY, as hosting platforms set them and gunicorn reads them; empty is not set."""
    level: _Level = {}
    for variable, name in (("PORT", "port"), ("WEB_CONCURRENCY", "workers")):
        origin = f"environment {variable}"
        if environ.get(variable):
            with _blaming(origin):
                level[name] = Setting(declared(Config)[name].from_text(environ[variable]), origin)
    if "port" in level:
        level["host"] = Setting("0.0.0.0", level["port"].origin)
    return level


def _variables(environ: Mapping[str, str]) -> _Level:
    options = {option.variable: option for option in declared(Config).values()}
    level: _Level = {}
    for variable in sorted(environ):
        if not variable.startswith(_PREFIX) or variable == CONFIG_VARIABLE:
            continue
        if variable not in options:
            raise ConfigError(
                f"environment: there is no variable {variable}{did_you_mean(variable, [*options, CONFIG_VARIABLE])}"
            )
        option, origin = options[variable], f"environment {variable}"
        with _blaming(origin):
            level[option.name] = Setting(option.from_text(environ[variable]), origin)
    return level


def _flags(flags: Mapping[str, str | bool | Sequence[str]]) -> _Level:
    level: _Level = {}
    for name, given in flags.items():
        option = declared(Config)[name]
        origin = f"flag {option.flag}" if name != "app" else "command line"
        with _blaming(origin):
            level[name] = Setting(option.from_flag(given), origin)
    return level


@contextlib.contextmanager
def _blaming(origin: str) -> Iterator[None]:
    """Adds where a value was written to what is wrong with it."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{error} ({origin})") from None

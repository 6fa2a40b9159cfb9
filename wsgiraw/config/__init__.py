"""Config: every option of the server, declared once with its default, unit, range, help, flag and group.

Flags, `WSGIRAW_*` variables, TOML keys, `--help`, `--print-config` and `serve(app, **options)` all follow from here.
Says nothing about where values come from (sources.py) and opens nothing: an address or a file is only a text here.
The options stand in application.py, processes.py and wire.py; each class adds its own to those before.
"""

import dataclasses

from wsgiraw.addresses import joined
from wsgiraw.config.processes import ONE_THREAD, STRATEGY_NAMES
from wsgiraw.config.wire import LOG_LEVELS, WireOptions
from wsgiraw.errors import ConfigError
from wsgiraw.options import declared, did_you_mean

__all__ = ["LOG_LEVELS", "STRATEGY_NAMES", "Config", "configure"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Config(WireOptions):
    """All options, checked when constructed. Raises ConfigError; units are seconds and bytes."""

    def __post_init__(self) -> None:
        defaults = {name: described.default for name, described in declared(Config).items()}
        for name, described in declared(Config).items():
            object.__setattr__(self, name, described.from_value(getattr(self, name)))
        if self.bind and (self.host, self.port) != (defaults["host"], defaults["port"]):
            raise ConfigError("bind and host or port are given together: put the host and port into bind")
        if self.strategy in ONE_THREAD and self.threads not in (1, defaults["threads"]):
            raise ConfigError(
                f"threads {self.threads} does not fit strategy {self.strategy!r}, which runs the application on one "
                "thread: leave threads alone, and use workers for more at a time"
            )

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where to listen: `bind`, or else host and port in the same form."""
        return self.bind or (joined(self.host, self.port),)


def configure(**options: object) -> Config:
    """A Config of keyword arguments. Raises ConfigError, with the nearest name, for one that is no option."""
    for name in options:
        if name not in declared(Config):
            raise ConfigError(f"there is no option {name!r}{did_you_mean(name, declared(Config))}")
    return Config(**options)  # type: ignore[arg-type] # the constructor checks what the annotations promise

"""Config: every option of the server, declared once with its default, unit, range, help, flag and group.

Flags, `WSGIRAW_*` variables, TOML keys, `--help`, `--print-config` and `serve(app, **options)` all follow from here.
Says nothing about where values come from (sources.py) and opens nothing: an address or a file is only a text here.
The options stand in application.py, static.py, tls.py, proxies.py, processes.py, limits.py and wire.py; each
class adds its own to those before.
"""

import dataclasses
from typing import Self

from wsgiraw.addresses import TCPAddress, joined, parse_address, redirecting
from wsgiraw.config.processes import ONE_THREAD, STRATEGY_NAMES
from wsgiraw.config.static import parse_static
from wsgiraw.config.wire import LOG_LEVELS, WireOptions
from wsgiraw.errors import ConfigError
from wsgiraw.options import declared, did_you_mean

__all__ = ["LOG_LEVELS", "STRATEGY_NAMES", "Config", "configure"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Config(WireOptions):
    """All options, checked when constructed. Raises ConfigError; units are seconds and bytes."""

    def __post_init__(self) -> None:
        for name, described in declared(Config).items():
            object.__setattr__(self, name, described.from_value(getattr(self, name)))
        if self.bind and not self._default_host_and_port:
            raise ConfigError("bind and host or port are given together: put the host and port into bind")
        if self.strategy in ONE_THREAD and self.threads not in (1, declared(Config)["threads"].default):
            raise ConfigError(
                f"threads {self.threads} does not fit strategy {self.strategy!r}, which runs the application on one "
                "thread: leave threads alone, and use workers for more at a time"
            )
        self._check_static()
        self._check_tls()
        if self.proxy_protocol and not self.trusted_proxies:
            raise ConfigError("proxy_protocol believes trusted proxies only: give trusted_proxies")
        if self.trace_secrets and not self.traces:
            raise ConfigError("trace_secrets goes with a trace: give trace or trace_json")

    def _check_static(self) -> None:
        prefixes = [parse_static(text)[0] for text in self.static]
        for prefix in prefixes:
            if prefixes.count(prefix) > 1:
                raise ConfigError(f"static has two directories at {prefix}: give one, or another prefix: /prefix=DIR")

    def _check_tls(self) -> None:
        if self.keyfile and len(self.keyfile) != len(self.certfile):
            raise ConfigError(
                f"certfile names {len(self.certfile)} files and keyfile {len(self.keyfile)}: give one keyfile for each "
                "certfile, or none where the certfile has the key, too"
            )
        if (self.client_certs != "none") != (self.ca_certs is not None):
            raise ConfigError("client_certs and ca_certs go together: say who checks clients' certificates, and how")
        if not self.certfile:
            for name in ("ca_certs", "keyfile_password_file", "redirect_http"):
                if getattr(self, name) is not None:
                    raise ConfigError(f"{name} goes with TLS: give a certfile")
        elif self.redirect_http is not None and len(self.addresses) == len(self._own_addresses):
            raise ConfigError("redirect_http needs an address with a host: unix sockets and descriptors have none")

    @property
    def _default_host_and_port(self) -> bool:
        options = declared(Config)
        return (self.host, self.port) == (options["host"].default, options["port"].default)

    @property
    def listens_by_default(self) -> bool:
        """Whether bind, host and port are as if nobody had given them."""
        return not self.bind and self._default_host_and_port

    @property
    def traces(self) -> bool:
        """Whether requests are traced."""
        return self.trace or self.trace_json is not None

    def pinned(self) -> Self:
        """The same with its address in bind, for one that was given although it is the default."""
        return dataclasses.replace(self, bind=self._own_addresses) if self.listens_by_default else self

    @property
    def _own_addresses(self) -> tuple[str, ...]:
        return self.bind or (joined(self.host, self.port),)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where to listen: `bind`, or else host and port in the same form; then where to send clients to https."""
        own = self._own_addresses
        if self.redirect_http is None:
            return own
        parsed = (parse_address(address) for address in own)
        hosts = dict.fromkeys(address.host for address in parsed if isinstance(address, TCPAddress))
        return (*own, *(redirecting(joined(host, self.redirect_http)) for host in hosts))


def configure(**options: object) -> Config:
    """A Config of keyword arguments. Raises ConfigError, with the nearest name, for one that is no option."""
    for name in options:
        if name not in declared(Config):
            raise ConfigError(f"there is no option {name!r}{did_you_mean(name, declared(Config))}")
    return Config(**options)  # type: ignore[arg-type] # the constructor checks what the annotations promise

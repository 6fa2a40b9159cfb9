"""Where a configuration lets us listen, given the sockets that systemd has passed. It opens and closes none."""

from collections.abc import Sequence

from wsgiraw.addresses import PassedAddress, parse_address
from wsgiraw.config import Config
from wsgiraw.errors import ConfigError
from wsgiraw.observe import log
from wsgiraw.systemd import PassedSocket

__all__ = ["where"]


def where(config: Config, passed: Sequence[PassedSocket]) -> tuple[str, ...]:
    """Return addresses: all sockets that were passed if none is configured, else what is configured, names resolved.

    Raises `ConfigError` where nothing of a name was passed, or something that nobody can accept from.
    """
    own, redirecting = config.addresses[: len(config.bind) or 1], config.addresses[len(config.bind) or 1 :]
    if passed and config.listens_by_default:
        own = tuple(one.address for one in passed)
    else:
        own = tuple(address for text in own for address in _resolved(text, passed))
    for one in passed:
        if one.address in own:
            one.check()
    if unused := [f"{one.address} ({one.name})" for one in passed if one.address not in own]:
        log.warning(
            "not used, because the configuration has other addresses: %s, passed by systemd: leave bind, host and port "
            "alone, or bind fd://NAME",
            ", ".join(unused),
        )
    return (*own, *redirecting)


def _resolved(text: str, passed: Sequence[PassedSocket]) -> list[str]:
    """Return all sockets that have a name, for one socket unit can have many; other addresses as they are."""
    parsed = parse_address(text)
    if not isinstance(parsed, PassedAddress):
        return [text]
    if found := [one.address for one in passed if one.name == parsed.name]:
        return found
    names = ", ".join(dict.fromkeys(one.name for one in passed)) or "none"
    raise ConfigError(f"bind {text!r}: systemd has passed no socket of that name; it has passed: {names}")

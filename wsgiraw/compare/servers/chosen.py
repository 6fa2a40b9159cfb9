"""From the names that somebody wrote to servers, each with a name of its own. It starts nothing."""

import dataclasses
from collections.abc import Iterable

from wsgiraw.compare.servers.custom import PREFIX, custom
from wsgiraw.compare.servers.peers import PEERS, STRATEGIES, Peer
from wsgiraw.errors import ConfigError
from wsgiraw.options import did_you_mean

__all__ = ["chosen"]

_ALIASES = {"gunicorn": "gunicorn-gthread", "peregrine-server": "peregrine", "uWSGI": "uwsgi"}


def chosen(names: Iterable[str]) -> list[Peer]:
    """Return the server of each name, all for none; the second of a name is `NAME#2`. Raises ConfigError."""
    found: list[Peer] = []
    times: dict[str, int] = {}
    for name in names:
        peer = custom(name) if name.startswith(PREFIX) else _known(name)
        times[peer.name] = count = times.get(peer.name, 0) + 1
        found.append(dataclasses.replace(peer, name=f"{peer.name}#{count}") if count > 1 else peer)
    return found or list(PEERS.values())


def _known(name: str) -> Peer:
    known = {**PEERS, **STRATEGIES}
    peer = known.get(_ALIASES.get(name, name))
    if peer is None:
        hint = did_you_mean(name, [*known, *_ALIASES]) or f": there are {', '.join(PEERS)}, and 'cmd:COMMAND'"
        raise ConfigError(f"there is no server {name!r}{hint}")
    return peer

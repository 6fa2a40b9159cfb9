"""What each part is given of the configuration, in the part's own words. Decides nothing and builds nothing."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wsgiraw.config import Config
from wsgiraw.config.static import parse_static
from wsgiraw.descriptors import spare_descriptors
from wsgiraw.http11 import BodyMemory, Limits
from wsgiraw.net import TLSSettings
from wsgiraw.strategies import Capacity, Timeouts
from wsgiraw.trust import TrustedPeers
from wsgiraw.wsgi import Forwarding, Static

__all__ = ["capacity", "forwarding", "limits", "located", "static_files", "timeouts", "tls_settings"]


def limits(config: Config) -> Limits:
    """Return the limits of a connection."""
    return Limits(
        head=config.max_head_bytes,
        request_line=config.limit_request_line,
        fields=config.limit_request_fields,
        body=config.max_body_bytes,
        chunk_line=config.max_chunk_line_bytes,
        trailer=config.max_trailer_bytes,
        spool=config.spool_bytes,
        memory=BodyMemory(config.body_memory),
        strict_host=config.strict_host,
    )


def capacity(config: Config) -> Capacity:
    """Return how much a process does at a time."""
    return Capacity(
        threads=config.threads,
        children=config.max_children,
        queue=config.max_queue,
        queue_timeout=config.queue_timeout,
        handoff_after=config.handoff_after,
        connections=config.max_connections or spare_descriptors(),
        concurrency=config.limit_concurrency,
    )


def timeouts(config: Config) -> Timeouts:
    """Return the timeouts of a connection."""
    return Timeouts(
        keep_alive=config.keep_alive,
        handshake=config.handshake_timeout,
        head=config.head_timeout,
        body=config.body_timeout,
        write=config.write_timeout,
        linger=config.linger_timeout,
        rate=config.min_rate,
    )


def tls_settings(config: Config, directory: str = "") -> TLSSettings | None:
    """Return what certificates are made from, if any are named; names of files are taken from a directory."""
    if not config.certfile:
        return None

    def named(file: str | None) -> str | None:
        return None if file is None else str(Path(directory, config.chdir, file).absolute())

    keys = config.keyfile or [None] * len(config.certfile)
    return TLSSettings(
        certificates=[(str(named(file)), named(key)) for file, key in zip(config.certfile, keys, strict=True)],
        password_file=named(config.keyfile_password_file),
        ca_certs=named(config.ca_certs),
        client_certs=config.client_certs,
        minimum=config.tls_minimum,
        ciphers=config.ciphers,
    )


def forwarding(config: Config) -> Forwarding:
    """Return which proxies are believed, and what."""
    return Forwarding(TrustedPeers(config.trusted_proxies), config.forwarded_fields, config.trusted_hops)


def located(config: Config, directory: str) -> tuple[str, ...]:
    """Return `config.static` with directories that do not depend on the current one; `chdir` starts from `directory`.

    They keep the names that they were given: a deployment may let those point elsewhere.
    """
    found = map(parse_static, config.static)
    return tuple(f"{prefix}={Path(directory, config.chdir, folder).absolute()}" for prefix, folder in found)


def static_files(config: Config) -> tuple[dict[str, str], Callable[..., Any]]:
    """Return the folders by prefix, and what makes an application of one: see `wsgiraw.wsgi.beside`."""
    serving = functools.partial(
        Static,
        cache_control=config.static_cache_control,
        listing=config.static_listing,
        follow_symlinks=config.follow_symlinks,
    )
    folders = dict(map(parse_static, located(config, "")))
    return folders, lambda folder, otherwise: serving(folder, otherwise=otherwise)

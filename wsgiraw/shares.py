"""What each part is given of the configuration, in the part's own words. Decides nothing and builds nothing."""

from wsgiraw.config import Config
from wsgiraw.http11 import Limits
from wsgiraw.strategies import Capacity, Timeouts
from wsgiraw.trust import TrustedPeers
from wsgiraw.wsgi import Forwarding

__all__ = ["capacity", "forwarding", "limits", "timeouts"]


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
    )


def capacity(config: Config) -> Capacity:
    """Return how much a process does at a time."""
    return Capacity(
        threads=config.threads,
        children=config.max_children,
        queue=config.max_queue,
        queue_timeout=config.queue_timeout,
        handoff_after=config.handoff_after,
    )


def timeouts(config: Config) -> Timeouts:
    """Return the timeouts of a connection."""
    return Timeouts(
        keep_alive=config.keep_alive,
        head=config.head_timeout,
        body=config.body_timeout,
        write=config.write_timeout,
        linger=config.linger_timeout,
    )


def forwarding(config: Config) -> Forwarding:
    """Return which proxies are believed, and what."""
    return Forwarding(TrustedPeers(config.trusted_proxies), config.forwarded_fields, config.trusted_hops)

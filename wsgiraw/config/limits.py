"""What clients are allowed, and how long they may take."""

import dataclasses

from wsgiraw.config.processes import ProcessOptions
from wsgiraw.kinds import INTEGER, SECONDS, SIZE, YES_NO
from wsgiraw.options import option

__all__ = ["LimitOptions"]

_LIMITS, _TIMEOUTS = "Limits", "Timeouts"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LimitOptions(ProcessOptions):
    """Limits and timeouts."""

    max_head_bytes: int = option(
        65536,
        "Longest request head, else 431 (nginx large_client_header_buffers: 4 of 8K).",
        kind=SIZE,
        group=_LIMITS,
        minimum=64,
        maximum=16 * 2**20,
    )
    limit_request_line: int = option(
        8192,
        "Longest request line, else 414 (Apache LimitRequestLine: 8190; gunicorn: 4094).",
        kind=SIZE,
        group=_LIMITS,
        minimum=16,
        maximum=2**20,
    )
    limit_request_fields: int = option(
        100,
        "Most field lines in a request head, else 431 (Apache LimitRequestFields, gunicorn: 100).",
        kind=INTEGER,
        group=_LIMITS,
        minimum=1,
        maximum=32768,
    )
    max_body_bytes: int = option(
        2**30,
        "Longest request body, else 413 (waitress max_request_body_size: 1G; nginx client_max_body_size: 1M).",
        kind=SIZE,
        group=_LIMITS,
        minimum=0,
        maximum=2**40,
    )
    max_chunk_line_bytes: int = option(
        4096,
        "Longest chunk-size line with its extensions, else 400 (Go net/http: 4096).",
        kind=SIZE,
        group=_LIMITS,
        minimum=16,
        maximum=2**20,
    )
    max_trailer_bytes: int = option(
        16384,
        "Longest trailer section, else 431 (Node.js --max-http-header-size: 16K).",
        kind=SIZE,
        group=_LIMITS,
        minimum=16,
        maximum=16 * 2**20,
    )
    spool_bytes: int = option(
        524288,
        "A longer request body waits in a temporary file instead of memory (waitress inbuf_overflow: 512K).",
        kind=SIZE,
        group=_LIMITS,
        minimum=0,
        maximum=2**30,
    )
    body_memory: int = option(
        64 * 2**20,
        "Memory that all request bodies of a process may take together; beyond it each waits in a file from 8K on "
        "(nginx client_body_buffer_size: 8K or 16K for each).",
        kind=SIZE,
        group=_LIMITS,
        minimum=0,
        maximum=16 * 2**30,
    )
    max_connections: int = option(
        0,
        "Most connections of a process; beyond them the one that has been idle for longest is closed (nginx "
        "worker_connections: 512; gunicorn: 1000); 0 is what descriptors allow.",
        kind=INTEGER,
        group=_LIMITS,
        minimum=0,
        maximum=2**20,
    )
    limit_concurrency: int = option(
        0,
        "Most requests that a process answers at a time, those that wait and those whose client still reads "
        "included; the next gets 503 with Retry-After (nginx limit_conn: none); 0 sets no limit.",
        kind=INTEGER,
        group=_LIMITS,
        minimum=0,
        maximum=2**20,
    )
    strict_host: bool = option(
        True,
        "Refuse HTTP/1.1 requests without Host, as RFC 9112 demands; no is for a health checker that sends none.",
        kind=YES_NO,
        group=_LIMITS,
    )
    keep_alive: float = option(
        75.0,
        "How long an idle connection is kept for a next request; 0 closes after each (nginx keepalive_timeout: 75).",
        kind=SECONDS,
        group=_TIMEOUTS,
        minimum=0,
        maximum=86400,
    )
    head_timeout: float = option(
        20.0,
        "For the whole head, from its first octet, else 408 (Apache RequestReadTimeout: header=20-40).",
        kind=SECONDS,
        group=_TIMEOUTS,
        minimum=0.001,
        maximum=86400,
    )
    body_timeout: float = option(
        30.0,
        "In each such span at least min_rate of a request body must arrive, else 408 (nginx client_body_timeout: 60; "
        "Apache body=20).",
        kind=SECONDS,
        group=_TIMEOUTS,
        minimum=0.001,
        maximum=86400,
    )
    write_timeout: float = option(
        30.0,
        "In each such span a client must take at least min_rate of its response, or it is cut off (nginx send_timeout: "
        "60).",
        kind=SECONDS,
        group=_TIMEOUTS,
        minimum=0.001,
        maximum=86400,
    )
    min_rate: int = option(
        100,
        "Bytes per second, on average over body_timeout or write_timeout, below which a client is too slow; a head has "
        "head_timeout for all of it (Apache RequestReadTimeout MinRate: 500); 0 asks for one byte in that time.",
        kind=SIZE,
        group=_TIMEOUTS,
        minimum=0,
        maximum=2**30,
    )
    handshake_timeout: float = option(
        10.0,
        "For a PROXY header and a TLS handshake, from accepting a connection (Apache RequestReadTimeout handshake=: "
        "none; Go recommends 5 to 10).",
        kind=SECONDS,
        group=_TIMEOUTS,
        minimum=0.001,
        maximum=86400,
    )
    linger_timeout: float = option(
        2.0,
        "How long we read on after an error so that the client sees our answer (Apache lingering close: 2; nginx: 5).",
        kind=SECONDS,
        group=_TIMEOUTS,
        minimum=0,
        maximum=3600,
    )

"""What clients are allowed, how long they may take, and what is said about it."""

import dataclasses
import re

from wsgiraw.config.processes import ProcessOptions
from wsgiraw.kinds import INTEGER, LOG_FILE, SECONDS, SIZE, SWITCH, TEXT
from wsgiraw.options import filled, option

__all__ = ["LOG_LEVELS", "WireOptions"]

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")

_LIMITS, _TIMEOUTS, _LOGGING, _REPLIES = "Limits", "Timeouts", "Logging", "Replies"


def _field_value(text: str) -> str:
    # RFC 9110 §5.5: a field value begins and ends with a visible character and holds no control characters.
    if not re.fullmatch(r"(?:[!-~](?:[ -~]*[!-~])?)?", text):
        raise ValueError(f"{text!r} cannot be sent: use printable ASCII without spaces around it")
    return text


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WireOptions(ProcessOptions):
    """Limits, timeouts, logs and replies."""

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
        "Between two arrivals of a request body, else 408 (nginx client_body_timeout: 60; Apache body=20).",
        kind=SECONDS,
        group=_TIMEOUTS,
        minimum=0.001,
        maximum=86400,
    )
    write_timeout: float = option(
        30.0,
        "For a client that takes nothing of its response, then it is cut off (nginx send_timeout: 60).",
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
    access_logfile: str | None = option(
        None,
        "Access log: a file, - for stdout, off for none; auto is stdout when that is a terminal.",
        kind=LOG_FILE,
        group=_LOGGING,
        check=filled,
    )
    error_logfile: str = option(
        "-",
        "Error log: a file, or - for stderr.",
        kind=TEXT,
        group=_LOGGING,
        flags=("--log-file",),
        metavar="FILE",
        check=filled,
    )
    log_level: str = option(
        "info",
        "The least severe messages that the error log takes.",
        kind=TEXT,
        group=_LOGGING,
        metavar="LEVEL",
        choices=LOG_LEVELS,
    )
    server_header: str = option(
        "wsgiraw", "The Server field of responses; empty sends none.", kind=TEXT, group=_REPLIES, check=_field_value
    )
    lint: bool = option(
        False,
        "Wrap the application in wsgiref.validate and make hop-by-hop fields in its responses errors.",
        kind=SWITCH,
        group=_REPLIES,
    )

"""What is logged and traced, and what replies say of us."""

import dataclasses

from wsgiraw.config.limits import LimitOptions
from wsgiraw.kinds import LOG_FILE, NAME, SWITCH, TEXT
from wsgiraw.options import field_value, filled, option

__all__ = ["LOG_LEVELS", "WireOptions"]

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")

_LOGGING, _TRACING, _REPLIES = "Logging", "Tracing", "Replies"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WireOptions(LimitOptions):
    """Logs, traces and replies."""

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
    trace: bool = option(
        False,
        "Show on stderr what each request does: octets in and out, environ, start_response, timings, threads. A "
        "development aid, and slow.",
        kind=SWITCH,
        group=_TRACING,
    )
    trace_json: str | None = option(
        None,
        "Write the same to a file, - for stdout, as JSON lines.",
        kind=NAME,
        group=_TRACING,
        metavar="FILE",
    )
    trace_secrets: bool = option(
        False,
        "Show the values of Authorization, Cookie and the like in a trace, which masks them otherwise.",
        kind=SWITCH,
        group=_TRACING,
    )
    server_header: str = option(
        "wsgiraw", "The Server field of responses; empty sends none.", kind=TEXT, group=_REPLIES, check=field_value
    )
    lint: bool = option(
        False,
        "Wrap the application in wsgiref.validate and make hop-by-hop fields in its responses errors.",
        kind=SWITCH,
        group=_REPLIES,
    )

"""Config: every option of the server, declared once with its default, unit, range, help, flag and group.

Flags, `WSGIRAW_*` variables, TOML keys, `--help`, `--print-config` and `serve(app, **options)` all follow from here.
Says nothing about where values come from (sources.py) and opens nothing: an address or a file is only a text here.
Longer than other files, because it is the one list of everything that can be set.
"""

import dataclasses
import re

from wsgiraw.addresses import checked_address, checked_host, joined
from wsgiraw.errors import ConfigError
from wsgiraw.kinds import INTEGER, LIST, LOG_FILE, OCTAL, PROCESSES, SECONDS, SIZE, SWITCH, TEXT
from wsgiraw.options import declared, did_you_mean, option

__all__ = ["LOG_LEVELS", "STRATEGY_NAMES", "Config", "configure"]

# A plain tuple, because this layer must not import strategies; a test compares it with strategies.STRATEGIES.
STRATEGY_NAMES = ("eventloop", "serial")
# Those that run the application on one thread, so that `threads` has no meaning for them.
_ONE_THREAD = ("eventloop", "serial")
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")

_APPLICATION, _ADDRESSES, _PROCESSES = "Application", "Addresses", "Processes and threads"
_LIMITS, _TIMEOUTS, _LOGGING, _REPLIES = "Limits", "Timeouts", "Logging", "Replies"


def _split_specifications(text: str) -> tuple[str, ...]:
    # Commas belong to a factory's arguments, so several applications stand apart by white space before a mount prefix.
    return tuple(re.split(r"\s+(?=/[^\s=]*=)", text.strip())) if text.strip() else ()


def _filled(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError("'' is empty: give a name" if not text else f"{text!r} holds a NUL")
    return text


def _field_value(text: str) -> str:
    # RFC 9110 §5.5: a field value begins and ends with a visible character and holds no control characters.
    if not re.fullmatch(r"(?:[!-~](?:[ -~]*[!-~])?)?", text):
        raise ValueError(f"{text!r} cannot be sent: use printable ASCII without spaces around it")
    return text


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All options, checked when constructed. Raises ConfigError; units are seconds and bytes."""

    app: tuple[str, ...] = option(
        (),
        "The application, package.module:app, or several at their prefixes: /=site:app /shop=shop:create_app().",
        kind=LIST,
        group=_APPLICATION,
        split=_split_specifications,
        check=_filled,
    )
    factory: bool = option(
        False, "Call what app names, without arguments, to get the application.", kind=SWITCH, group=_APPLICATION
    )
    chdir: str = option(
        ".",
        "Change to this directory before the application is imported; it comes first on sys.path.",
        kind=TEXT,
        group=_APPLICATION,
        metavar="DIR",
        check=_filled,
    )
    pythonpath: tuple[str, ...] = option(
        (),
        "Directories, separated by commas, to import from after the current one.",
        kind=LIST,
        group=_APPLICATION,
        metavar="DIRS",
        check=_filled,
    )
    bind: tuple[str, ...] = option(
        (),
        "Listen here: HOST:PORT, [IPV6]:PORT, :PORT or *:PORT (IPv4 and IPv6), unix:PATH, fd://N. Repeatable. "
        "Takes the place of host and port.",
        kind=LIST,
        group=_ADDRESSES,
        flags=("-b",),
        repeatable=True,
        metavar="ADDRESS",
        check=checked_address,
    )
    host: str = option(
        "127.0.0.1",
        "Host name or IP address to listen on; * is every IPv4 and IPv6 address.",
        kind=TEXT,
        group=_ADDRESSES,
        metavar="HOST",
        check=checked_host,
    )
    port: int = option(
        8000,
        "TCP port to listen on; 0 lets the kernel pick. $PORT, if set, means host 0.0.0.0 and that port.",
        kind=INTEGER,
        group=_ADDRESSES,
        metavar="PORT",
        minimum=0,
        maximum=65535,
    )
    backlog: int = option(
        2048,
        "Connections that the kernel may hold until they are accepted (gunicorn: 2048).",
        kind=INTEGER,
        group=_ADDRESSES,
        minimum=1,
        maximum=65535,
    )
    socket_mode: int = option(
        0o600,
        "Permissions of unix sockets, octal (waitress unix_socket_perms: 600).",
        kind=OCTAL,
        group=_ADDRESSES,
        minimum=0,
        maximum=0o777,
    )
    strategy: str = option(
        "eventloop",
        "How connections share the process: eventloop never waits for one of them, serial serves one at a time.",
        kind=TEXT,
        group=_PROCESSES,
        metavar="NAME",
        choices=STRATEGY_NAMES,
    )
    workers: int = option(
        0,
        "Processes that serve, supervised by a master; 0 serves in this one, auto is one for each processor it may "
        "use. $WEB_CONCURRENCY is honoured.",
        kind=PROCESSES,
        group=_PROCESSES,
        flags=("-w",),
        minimum=0,
        maximum=1024,
    )
    threads: int = option(
        1,
        "Threads that run the application in each process. eventloop and serial have one.",
        kind=INTEGER,
        group=_PROCESSES,
        minimum=1,
        maximum=1024,
    )
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
    graceful_timeout: float = option(
        30.0,
        "How long requests in flight may take to finish once we are told to stop (gunicorn: 30).",
        kind=SECONDS,
        group=_TIMEOUTS,
        minimum=0,
        maximum=86400,
    )
    access_logfile: str | None = option(
        None,
        "Access log: a file, - for stdout, off for none; auto is stdout when that is a terminal.",
        kind=LOG_FILE,
        group=_LOGGING,
        check=_filled,
    )
    error_logfile: str = option(
        "-",
        "Error log: a file, or - for stderr.",
        kind=TEXT,
        group=_LOGGING,
        flags=("--log-file",),
        metavar="FILE",
        check=_filled,
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

    def __post_init__(self) -> None:
        for name, described in declared(Config).items():
            object.__setattr__(self, name, described.from_value(getattr(self, name)))
        if self.bind and (self.host, self.port) != (declared(Config)["host"].default, declared(Config)["port"].default):
            raise ConfigError("bind and host or port are given together: put the host and port into bind")
        if self.strategy in _ONE_THREAD and self.threads != 1:
            raise ConfigError(
                f"threads {self.threads} does not fit strategy {self.strategy!r}, which runs the application on one "
                "thread: leave threads at 1, and use workers for more at a time"
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

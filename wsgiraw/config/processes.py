"""How processes and threads share the work, and how they are supervised."""

import dataclasses
import re

from wsgiraw.config.proxies import ProxyOptions
from wsgiraw.kinds import INTEGER, NAME, PROCESSES, SECONDS, SIZE, SWITCH, TEXT
from wsgiraw.options import option

__all__ = ["ONE_THREAD", "STRATEGY_ALIASES", "STRATEGY_NAMES", "ProcessOptions"]

# A plain tuple, because this layer must not import strategies; a test compares it with strategies.STRATEGIES.
STRATEGY_NAMES = ("handoff", "eventloop", "pooled", "threaded", "forking", "serial")
# gunicorn's names for what is nearest.
STRATEGY_ALIASES = {"gthread": "handoff", "sync": "serial"}
# Those that run the application on one thread, so that `threads` has no meaning for them.
ONE_THREAD = ("eventloop", "forking", "serial")

_PROCESSES, _SUPERVISION = "Processes and threads", "Supervision"


def _path(text: str) -> str:
    if text and not text.startswith("/"):
        raise ValueError(f"{text!r} is no path: it begins with a slash")
    return text


def _mode(text: str) -> str:
    if not re.fullmatch("[0-7]{1,4}", text) or int(text, 8) > 0o777:
        raise ValueError(f"{text!r} is not an octal file mode: give 000 to 777")
    return text


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProcessOptions(ProxyOptions):
    """Strategy, workers, threads, and what a master does with them."""

    strategy: str = option(
        "handoff",
        "How connections share a process: handoff runs the application on the event loop and on threads once it is "
        "slow; eventloop on the loop alone; pooled always on threads; threaded has a thread for each connection, "
        "forking a process; serial serves one at a time. gunicorn's names work: gthread is handoff, sync is serial.",
        kind=TEXT,
        group=_PROCESSES,
        flags=("-k", "--worker-class"),
        metavar="NAME",
        choices=STRATEGY_NAMES,
        aliases=STRATEGY_ALIASES,
    )
    workers: int = option(
        1,
        "Processes that serve, supervised by a master, which also replaces a single one that dies; 0 serves in this "
        "process, without a master; auto is one for each processor it may use. $WEB_CONCURRENCY is honoured.",
        kind=PROCESSES,
        group=_PROCESSES,
        flags=("-w",),
        minimum=0,
        maximum=1024,
    )
    threads: int = option(
        8,
        "Threads that run the application in each process (gunicorn: 1; waitress: 4). "
        "handoff with 1 is eventloop; eventloop, serial and forking have one.",
        kind=INTEGER,
        group=_PROCESSES,
        minimum=1,
        maximum=1024,
    )
    handoff_after: float = option(
        0.001,
        "handoff: how long a call may hold up the loop before another thread takes the loop over (Go sysmon: looks "
        "every 20 µs to 10 ms).",
        kind=SECONDS,
        group=_PROCESSES,
        minimum=0.0001,
        maximum=3600,
    )
    max_queue: int = option(
        1024,
        "handoff, pooled: complete requests that wait for a thread; the next gets 503 with Retry-After.",
        kind=INTEGER,
        group=_PROCESSES,
        minimum=0,
        maximum=2**20,
    )
    queue_timeout: float = option(
        60.0,
        "handoff, pooled: how long a request waits for a thread before it gets 503 with Retry-After (nginx "
        "queue timeout: 60).",
        kind=SECONDS,
        group=_PROCESSES,
        minimum=0.001,
        maximum=86400,
    )
    max_children: int = option(
        64,
        "forking: most processes at a time; further connections wait in the kernel's queue.",
        kind=INTEGER,
        group=_PROCESSES,
        minimum=1,
        maximum=4096,
    )
    preload: bool = option(
        False,
        "Import the application in the master, before it forks: less memory, but a reload does not import it anew.",
        kind=SWITCH,
        group=_SUPERVISION,
    )
    pid: str | None = option(
        None,
        "Write the number of the master process to this file.",
        kind=NAME,
        group=_SUPERVISION,
        metavar="FILE",
        flags=("--pidfile",),
    )
    max_requests: int = option(
        0,
        "Replace a worker after so many requests, a successor first (gunicorn: 0); 0 never.",
        kind=INTEGER,
        group=_SUPERVISION,
        minimum=0,
        maximum=10**9,
    )
    max_requests_jitter: int = option(
        0,
        "Up to so many requests are added at random, so that workers are not replaced all at once.",
        kind=INTEGER,
        group=_SUPERVISION,
        minimum=0,
        maximum=10**9,
    )
    max_rss: int = option(
        0,
        "Replace a worker whose resident memory is larger, a successor first; 0 never (uWSGI reload-on-rss).",
        kind=SIZE,
        group=_SUPERVISION,
        minimum=0,
        maximum=2**50,
    )
    drain_delay: float = option(
        0.0,
        "Told to stop, go on accepting for this long, answer with Connection: close and let the health check say no "
        "(gunicorn, nginx: none).",
        kind=SECONDS,
        group=_SUPERVISION,
        minimum=0,
        maximum=3600,
    )
    graceful_timeout: float = option(
        30.0,
        "How long requests in flight may take to finish once we are told to stop (gunicorn: 30).",
        kind=SECONDS,
        group=_SUPERVISION,
        minimum=0,
        maximum=86400,
    )
    request_timeout: float = option(
        0.0,
        "A request that runs for longer gets 504, the log shows its stack, and the worker is replaced (gunicorn "
        "timeout: 30); 0 never.",
        kind=SECONDS,
        group=_SUPERVISION,
        minimum=0,
        maximum=86400,
    )
    loop_timeout: float = option(
        60.0,
        "A worker whose loop has not turned for this long is killed and replaced, its stacks in the log (gunicorn "
        "timeout: 30); 0 never.",
        kind=SECONDS,
        group=_SUPERVISION,
        minimum=0,
        maximum=86400,
        flags=("--timeout",),
    )
    health_path: str = option(
        "",
        "The server itself answers this path: 200, or 503 once told to stop; empty answers none.",
        kind=TEXT,
        group=_SUPERVISION,
        metavar="PATH",
        check=_path,
    )
    user: str | None = option(
        None,
        "Workers run as this user, name or number.",
        kind=NAME,
        group=_SUPERVISION,
        metavar="NAME",
    )
    group: str | None = option(
        None,
        "Workers run as this group, name or number; by default the user's.",
        kind=NAME,
        group=_SUPERVISION,
        metavar="NAME",
    )
    umask: str | None = option(
        None,
        "Permissions that files made by workers lack, octal; by default as the master was started.",
        kind=NAME,
        group=_SUPERVISION,
        metavar="MODE",
        check=_mode,
    )
    post_fork: str | None = option(
        None,
        "Hook, package.module:function, called with the Worker in each worker after it was forked, before the "
        "application is imported.",
        kind=NAME,
        group=_SUPERVISION,
        metavar="HOOK",
    )
    worker_ready: str | None = option(
        None,
        "Hook called with the Worker once it is about to serve.",
        kind=NAME,
        group=_SUPERVISION,
        metavar="HOOK",
    )
    worker_exit: str | None = option(
        None,
        "Hook called with the Worker before it ends.",
        kind=NAME,
        group=_SUPERVISION,
        metavar="HOOK",
    )

"""A process that serves, under a master (`work`) or alone (`serve_alone`): imports the application, minds signals.

It opens no sockets: whoever calls it has done that.
"""

import faulthandler
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TextIO

from wsgiraw.config import Config
from wsgiraw.errors import ConfigError
from wsgiraw.hooks import call_hook
from wsgiraw.importer import load, set_import_path
from wsgiraw.net import Certificates, Listener
from wsgiraw.observe import log, set_up_error_log
from wsgiraw.privileges import Privileges
from wsgiraw.server import Server
from wsgiraw.strategies.prefork import DUMP, Post
from wsgiraw.strategies.pulse import TURNS, WAITING, Pulse
from wsgiraw.strategies.stacks import report
from wsgiraw.systemd import ServiceManager
from wsgiraw.wsgi import Mount

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["Source", "serve_alone", "work"]

_DEFAULT_INTERVAL, _SWITCH_INTERVAL = 0.005, 0.0005
"""Seconds after which a thread that computes lets another one run, for Python's default of 5 ms: beside requests that
compute, a quick one waits for this a few times."""

_GRACE = 1.0
"""Seconds beyond its time to stop, after which a process that is stuck in the application gives up."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the application comes from."""

    directory: str
    """Where the command was given: `chdir` starts from there."""
    loaded: "WSGIApplication | None" = None
    """The application, if it has been imported before the fork."""

    def enter(self, config: Config) -> None:
        """Import from where the configuration says. Raises `ConfigError`."""
        if self.loaded is None:
            set_import_path(str(Path(self.directory, config.chdir)), config.pythonpath)

    def load(self, config: Config) -> "WSGIApplication":
        """Return the application. Raises `ConfigError`."""
        if self.loaded is not None:
            return self.loaded
        applications = load(config.app, config.factory) if config.app or not config.static else {}
        return applications[""] if list(applications) == [""] else Mount(applications)


def work(
    source: Source,
    inherited: TextIO,
    certificates: Certificates | None,
    config: Config,
    listeners: Sequence[Listener],
    post: Post,
) -> None:
    """Serve in a worker until the master says stop, or is no more. `inherited` is the master's error log.

    Raises `ConfigError` where the application or a hook fails.
    """
    errors = set_up_error_log(config.error_logfile, config.log_level)
    if inherited not in (sys.stderr, errors):
        inherited.close()
    if errors is not None:
        faulthandler.enable(errors)  # should the interpreter crash, or the master find us stuck
    privileges(config).take_on()
    source.enter(config)  # hooks may stand beside the application
    call_hook("post_fork", config.post_fork, post.worker)
    application = source.load(config)
    _settle_in()
    server = Server(
        application,
        config,
        listeners=listeners,
        errors=errors,
        certificates=certificates,
        pulse=post.pulse,
        master=post.master,
    )
    actions = {
        signal.SIGTERM: server.shutdown_gracefully,
        signal.SIGQUIT: server.shutdown_at_once,
        signal.SIGUSR1: server.reopen_logs,
        signal.SIGUSR2: server.drain,
        DUMP: lambda: _dump(server, errors),
    }
    try:
        with _minding(server, actions):
            call_hook("worker_ready", config.worker_ready, post.worker)
            server.serve()
    finally:
        server.close()
        try:
            call_hook("worker_exit", config.worker_exit, post.worker)
        except ConfigError as error:
            log.error("%s%s", error, "".join(f"\n{note}" for note in getattr(error, "__notes__", ())))


def serve_alone(
    source: Source,
    certificates: Certificates | None,
    config: Config,
    listeners: Sequence[Listener],
    errors: TextIO,
    announce: Callable[[], None],
    manager: ServiceManager,
) -> None:
    """Serve without a master until a signal. An application that does not return in its time is not waited for.

    Raises `ConfigError` where the application fails.
    """
    privileges(config).take_on()
    source.enter(config)
    application = source.load(config)
    _settle_in()

    def hear(message: str) -> None:
        if message.startswith("retire "):
            log.info("stopping: %s", message.removeprefix("retire "))
            finish()

    pulse = Pulse(tell=hear)
    server = Server(
        application,
        config,
        listeners=listeners,
        errors=errors,
        certificates=certificates,
        pulse=pulse,
    )

    def end() -> None:
        if server.stopping or signal.getitimer(signal.ITIMER_REAL)[0]:
            end_at_once()
        elif config.drain_delay:
            manager.stopping()
            server.drain()
            signal.setitimer(signal.ITIMER_REAL, config.drain_delay)
        else:
            finish()

    def finish() -> None:
        manager.stopping()
        server.shutdown_gracefully()
        signal.setitimer(signal.ITIMER_REAL, server.time_to_stop() + _GRACE)

    def end_at_once() -> None:
        manager.stopping()
        server.shutdown_at_once()
        signal.setitimer(signal.ITIMER_REAL, _GRACE)

    def time_is_up() -> None:
        if not server.stopping:
            finish()  # the delay of --drain-delay is over
            return
        log.critical("the application does not return: giving up")
        os._exit(1)

    actions = {
        signal.SIGTERM: end,
        signal.SIGHUP: finish,  # there is no master that could reload
        signal.SIGINT: end_at_once,
        signal.SIGQUIT: end_at_once,
        signal.SIGUSR1: server.reopen_logs,
        signal.SIGALRM: time_is_up,
        DUMP: lambda: _dump(server, errors),
    }
    try:
        with _minding(server, actions), manager.kept_alive(_turning(pulse)):
            announce()
            server.serve()
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        server.close()


def _turning(pulse: Pulse) -> Callable[[], bool]:
    """Return what says whether the loop waits, or has turned since it was last asked."""
    seen = 0

    def turning() -> bool:
        nonlocal seen
        before, seen = seen, pulse.cells[TURNS]
        return bool(pulse.cells[WAITING]) or seen != before

    return turning


def privileges(config: Config) -> Privileges:
    """Return who is to serve. Raises `ConfigError`."""
    return Privileges.named(config.user, config.group, config.umask)


def _settle_in() -> None:
    """Tell the collector that what was imported lives for ever: it need not walk that again and again."""
    gc.collect()
    gc.freeze()
    if sys.getswitchinterval() == _DEFAULT_INTERVAL:  # unless the application has chosen
        sys.setswitchinterval(_SWITCH_INTERVAL)


def _dump(server: Server, errors: TextIO | None) -> None:
    """Write what every thread is at, and who was parted with, into the error log.

    At once, for the loop may be what is stuck; not through `logging`, whose locks this thread may hold.
    """
    if errors is not None:
        text = f"{report()}\nclients parted with: {server.tally}\n"
        with suppress(OSError):
            os.write(errors.fileno(), text.encode(errors="replace"))


@contextmanager
def _minding(server: Server, actions: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
    """Act on signals. A handler records and wakes; the strategy does the work."""

    def act(number: int, frame: FrameType | None) -> None:
        actions[signal.Signals(number)]()

    before = {number: signal.signal(number, act) for number in actions}
    descriptor = signal.set_wakeup_fd(server.wakeup_descriptor, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(descriptor)
        for number, handler in before.items():
            signal.signal(number, handler)

"""A process that serves: imports the application, opens the logs, minds signals, forks workers where wanted."""

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, TextIO

from wsgiraw.clock import Clock
from wsgiraw.config import Config, configure
from wsgiraw.errors import ConfigError
from wsgiraw.importer import load, set_import_path
from wsgiraw.observe import banner, log, open_access_log, set_up_error_log
from wsgiraw.server import Server, open_listeners
from wsgiraw.strategies import prefork
from wsgiraw.version import __version__
from wsgiraw.wsgi import Mount

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["run", "serve"]

_GRACE = 1.0
"""Seconds beyond its time to stop, after which a process that is stuck in the application gives up."""


def serve(application: "WSGIApplication | Mapping[str, WSGIApplication]", **options: object) -> None:
    """Serve an application, or several by prefix, in this thread until SIGINT or SIGTERM. Raises `ConfigError`."""
    config = configure(**options)
    if threading.current_thread() is not threading.main_thread():
        raise ConfigError("serve() minds signals, which only the main thread can: use Server in other threads")
    with _observed(config) as errors:
        _serve(Mount(application) if isinstance(application, Mapping) else application, config, errors)


def run(config: Config) -> int:
    """Do what the command line says: import, listen, serve. Returns the exit code; raises `ConfigError`."""
    set_import_path(config.chdir, config.pythonpath)
    applications = load(config.app, config.factory)
    application = applications[""] if list(applications) == [""] else Mount(applications)
    with _observed(config) as errors:
        _serve(application, config, errors)
    return 0


@contextmanager
def _observed(config: Config) -> Iterator[TextIO]:
    """Send the error log where the configuration says; yield its stream."""
    stream = set_up_error_log(config.error_logfile, config.log_level)
    try:
        yield stream
    finally:
        if stream is not sys.stderr:
            stream.close()


def _serve(application: "WSGIApplication", config: Config, errors: TextIO) -> None:
    """Serve in this process, or in `config.workers` others that this one forks, until a signal."""
    if config.access_logfile is None:
        on_terminal = sys.stdout is not None and sys.stdout.isatty()
        config = replace(config, access_logfile="-" if on_terminal else "off")
    if (access_log := open_access_log(config.access_logfile, Clock())) is not None:
        access_log.close()  # what cannot be opened is said here, once, and not by each worker
    listeners = open_listeners(config)
    gc.collect()
    gc.freeze()  # what was imported lives for ever: the collector need not walk it after every few hundred requests

    def announce() -> None:  # only once a signal would find us ready for it
        shape = f"{config.workers} x {config.strategy}" if config.workers else config.strategy
        if sys.stderr is not None:  # as Python has it in a process that was started with it closed
            sys.stderr.write(banner(__version__, [listener.url for listener in listeners], shape) + "\n")
            sys.stderr.flush()

    def stop_listening() -> None:
        for listener in listeners:
            listener.close()

    def work(when_orphaned: Callable[[Callable[[], None]], None]) -> None:
        server = Server(application, config, listeners=listeners, errors=errors)
        try:
            with _signals(
                server, {signal.SIGTERM: server.shutdown_gracefully, signal.SIGQUIT: server.shutdown_at_once}
            ):
                when_orphaned(server.shutdown_gracefully)
                server.serve()
        finally:
            server.close()

    try:
        if config.workers:
            prefork.supervise(config.workers, work, announce, stop_listening, config.graceful_timeout)
        else:
            server = Server(application, config, listeners=listeners, errors=errors)
            try:
                _serve_alone(server, announce)
            finally:
                server.close()
    finally:
        stop_listening()
    log.info("stopped")


def _serve_alone(server: Server, announce: Callable[[], None]) -> None:
    """Serve without a master until a signal. An application that does not return in its time is not waited for."""

    def stop() -> None:
        server.shutdown()
        signal.setitimer(signal.ITIMER_REAL, server.time_to_stop() + _GRACE)

    def give_up() -> None:
        log.critical("the application does not return: giving up")
        os._exit(1)

    with _signals(server, {signal.SIGINT: stop, signal.SIGTERM: stop, signal.SIGALRM: give_up}):
        announce()
        server.serve()
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def _signals(server: Server, actions: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
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

"""From a configuration to processes that serve: logs, pid file, sockets, then a master or this process alone."""

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from wsgiraw.activation import where
from wsgiraw.clock import Clock
from wsgiraw.config import Config, configure
from wsgiraw.descriptors import raise_limit
from wsgiraw.errors import ConfigError
from wsgiraw.net import Certificates
from wsgiraw.observe import banner, log, open_access_log, reopen, set_up_error_log
from wsgiraw.pidfile import PidFile
from wsgiraw.process import Source, privileges, serve_alone, work
from wsgiraw.shares import located, tls_settings
from wsgiraw.strategies.prefork import Duties, Ports, Predecessor, predecessor, supervise
from wsgiraw.systemd import ServiceManager
from wsgiraw.version import __version__
from wsgiraw.wsgi import Mount

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["run", "serve", "start_directory"]


def serve(application: "WSGIApplication | Mapping[str, WSGIApplication]", **options: object) -> None:
    """Serve an application, or several by prefix, in this thread until SIGINT or SIGTERM. Raises `ConfigError`.

    With `workers` in as many processes of this program, which share what it has imported; by default in this one.
    """
    config = configure(**{"workers": 0, **options})
    if threading.current_thread() is not threading.main_thread():
        raise ConfigError("serve() minds signals, which only the main thread can: use Server in other threads")
    if options.keys() & {"bind", "host", "port"}:
        config = config.pinned()
    loaded = Mount(application) if isinstance(application, Mapping) else application
    manager = ServiceManager(os.environ, log.warning)
    _serve(Source(start_directory(), loaded), config, lambda: config, None, manager)


def run(config: Config, reread: Callable[[], Config] | None = None) -> int:
    """Do what the command line says: listen, fork, serve. Returns the exit code; raises `ConfigError`.

    `reread` returns the configuration as it is at the time of a reload.
    """
    source = Source(start_directory())
    before = predecessor(os.environ)
    manager = ServiceManager(os.environ, log.warning)
    if config.preload and config.workers:
        source.enter(config)
        source = replace(source, loaded=source.load(config))
    else:
        # Files are named from there; the master's own sys.path stays as it is, so that a reload can have another.
        try:
            os.chdir(config.chdir)
        except OSError as error:
            raise ConfigError(f"chdir {config.chdir!r}: {error.strerror}: give an existing directory") from None
    _serve(source, config, reread or (lambda: config), before, manager)
    return 0


def start_directory() -> str:
    """Return where the command was given, by the name that the shell knows: a deployment may let it point elsewhere."""
    shown = os.environ.get("PWD", "")
    try:
        if shown and Path(shown).samefile("."):
            return shown
    except OSError:
        pass
    return str(Path.cwd())


class _Logs:
    """The log files, as the process that started all others has them open."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.errors: TextIO = set_up_error_log(config.error_logfile, config.log_level)
        self._prepare()

    def _prepare(self) -> None:
        """Make sure that workers can open the files, whoever they are; what cannot be opened is said here, once."""
        owner = privileges(self.config)
        access = self.config.access_logfile
        if (access_log := open_access_log(access, Clock())) is not None:
            access_log.close()
        for path in (access, self.config.error_logfile):
            if path not in (None, "-", "off"):
                owner.give(str(path))

    def adopt(self, config: Config) -> None:
        """Log where another configuration says. What is wrong with it is logged where we log now."""
        before, self.config = self.errors, config
        try:
            self.errors = set_up_error_log(config.error_logfile, config.log_level)
            if before not in (sys.stderr, self.errors):
                before.close()
            self._prepare()
        except (ConfigError, OSError) as error:
            log.error("%s", error)

    def reopen(self) -> None:
        """The files have been moved away."""
        reopen(self.errors)
        try:
            self._prepare()
        except (ConfigError, OSError) as error:
            log.error("%s", error)

    def close(self) -> None:
        """Close what is not the process's own output."""
        if self.errors is not sys.stderr:
            self.errors.close()


def _serve(
    source: Source, config: Config, reread: Callable[[], Config], before: Predecessor | None, manager: ServiceManager
) -> None:
    """Serve in this process, or in `config.workers` others that this one forks, until a signal."""
    certificates: dict[Config, Certificates | None] = {}

    def prepared(config: Config) -> Config:
        """Load what workers share, before they are forked and part with privileges. Raises `ConfigError`."""
        config = replace(_with_access_log(config), static=located(config, source.directory))
        settings = tls_settings(config, source.directory)
        certificates[config] = None if settings is None else Certificates(settings)
        return config

    raise_limit()
    config = prepared(config)
    with ExitStack() as stack:
        stack.callback(manager.close)
        pid_file = PidFile(config.pid, before.pid if before else 0) if config.pid else None
        logs = _Logs(config)
        stack.callback(logs.close)
        if config.strategy == "serial":
            log.warning("strategy serial serves one client at a time: handoff serves many")
        if config.traces:
            secrets = ", with what is secret in them" if config.trace_secrets else ""
            log.warning("requests are traced%s: slow, and for development", secrets)
        ports = Ports(before.listeners if before else None, lambda config: where(config, manager.sockets))
        stack.callback(ports.close)
        ports.open(config)
        ports.adopt()

        def urls() -> list[str]:
            return [listener.url(tls=bool(config.certfile)) for listener in ports.listeners]

        def part_and_work(config: Config, *given: Any) -> None:
            manager.leave()
            ours = certificates[config]
            if ours is not None:
                ours.refresh(time.monotonic())  # what has changed since we loaded them is loaded before privileges go
            work(source, logs.errors, ours, config, *given)

        def settled(workers: int, failure: str) -> None:
            manager.settled(_status(logs.config, urls(), workers, failure))

        def established() -> None:  # only once a signal would find us ready for it
            if pid_file is not None:
                pid_file.write()
                stack.callback(pid_file.remove)
            _announce(config, urls())
            manager.ready(_status(config, urls(), config.workers), instead=before is not None)

        def established_alone() -> None:
            established()
            if before is not None:
                ports.take_over()
                before.relieve()

        if config.workers:
            duties = Duties(
                work=part_and_work,
                reread=lambda: prepared(reread()),
                established=established,
                adopted=logs.adopt,
                reopen_logs=logs.reopen,
                reloading=manager.reloading,
                settled=settled,
                stopping=manager.stopping,
                replaced=manager.give_place,
                bequeath=manager.bequeath,
                keep_alive=manager.keep_alive,
                interval=manager.interval,
                start_directory=source.directory,
            )
            supervise(config, duties, ports, before)
        else:
            serve_alone(source, certificates[config], config, ports.listeners, logs.errors, established_alone, manager)
        log.info("stopped")


def _with_access_log(config: Config) -> Config:
    if config.access_logfile is not None:
        return config
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    return replace(config, access_logfile="-" if on_terminal else "off")


def _announce(config: Config, urls: list[str]) -> None:
    shape = f"{config.workers} x {config.strategy}" if config.workers > 1 else config.strategy
    if sys.stderr is not None:  # as Python has it in a process that was started with it closed
        sys.stderr.write(banner(__version__, urls, shape) + "\n")
        sys.stderr.flush()


def _status(config: Config, urls: list[str], workers: int, failure: str = "") -> str:
    """Return the line that `systemctl status` shows."""
    who = f"{workers} worker{'s' * (workers != 1)}" if config.workers else "no master"
    return f"{' '.join(urls)} · {who} · {config.strategy}{f' · {failure}' if failure else ''}"

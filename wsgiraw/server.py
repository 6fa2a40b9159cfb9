"""The composition root: the only module that knows all parts. Configuration in, a serving process out."""

import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Self, TextIO
from wsgiref.validate import validator

from wsgiraw.clock import Clock
from wsgiraw.config import Config, configure
from wsgiraw.http11 import Limits
from wsgiraw.importer import load, set_import_path
from wsgiraw.net import Listener, listen
from wsgiraw.observe import banner, log, open_access_log, set_up_error_log
from wsgiraw.strategies import STRATEGIES, Stop, Timeouts, prefork, serial
from wsgiraw.version import __version__
from wsgiraw.wsgi import Gateway, Mount

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["Server", "run", "serve"]


class Server:
    """A server as a value: it listens once constructed, and serves in `serve()` or, as a context, in a thread.

    `with Server(app, port=0) as server: urlopen(server.url)`. Options are those of `Config`. Raises `ConfigError`.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        config: Config | None = None,
        *,
        listeners: Sequence[Listener] | None = None,
        errors: TextIO | None = None,
        **options: object,
    ) -> None:
        """Listen. Give a `config` or `options`.

        `listeners` are used instead of `config.addresses`; `errors` is the stream of `wsgi.errors`, standard error by
        default. There is an access log only where `access_logfile` names one.
        """
        self.config = config = configure(**options) if config is None else config
        self._strategy = STRATEGIES[config.strategy]
        self._stop = Stop(config.graceful_timeout)
        self._thread: threading.Thread | None = None
        self._closed = False
        clock = Clock()
        self._access_log = open_access_log(config.access_logfile, clock) if config.access_logfile else None
        self._gateway = Gateway(
            validator(application) if config.lint else application,
            limits=limits(config),
            clock=clock,
            software=f"wsgiraw/{__version__}",
            errors=errors or sys.stderr,
            server_header=config.server_header,
            access_log=self._access_log,
            lint=config.lint,
            multithread=self._strategy.multithread,
            multiprocess=self._strategy.multiprocess or config.workers > 1,
        )
        try:
            self.listeners = open_listeners(config) if listeners is None else listeners
        except BaseException:
            self.listeners = ()
            self.close()
            raise

    @property
    def url(self) -> str:
        """Where the first listener answers, such as `http://127.0.0.1:8000`."""
        return self.listeners[0].url

    @property
    def port(self) -> int:
        """The TCP port of the first listener; 0 for a unix socket."""
        return self.listeners[0].port

    def serve(self) -> None:
        """Serve in this thread until `shutdown()`; then all in flight is done or dropped, and nothing listens."""
        self._strategy.serve(self.listeners, self._gateway, timeouts(self.config), self._stop)

    def serve_one(self) -> None:
        """Wait for one connection, answer its first request and close it; return at once after `shutdown()`."""
        serial.serve_once(self.listeners, self._gateway, timeouts(self.config), self._stop)

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self.serve, name="wsgiraw", daemon=True)
        self._thread.start()

    def shutdown(self) -> None:
        """Ask to stop, from any thread or signal handler; a second time, to drop what is in flight too."""
        self._stop.request()

    def close(self) -> None:
        """Stop, wait until that is done, and give every descriptor back. Closing twice is allowed."""
        if self._closed:
            return
        self._closed = True
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        for listener in self.listeners:
            listener.close()
        self._stop.close()
        if self._access_log is not None:
            self._access_log.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def open_listeners(config: Config) -> list[Listener]:
    """Listen on each address of the configuration, or on none. Raises `ConfigError`."""
    listeners: list[Listener] = []
    try:
        for address in config.addresses:
            listeners += listen(address, config.backlog, config.socket_mode)
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners


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


def timeouts(config: Config) -> Timeouts:
    """Return the timeouts of a connection."""
    return Timeouts(
        keep_alive=config.keep_alive,
        head=config.head_timeout,
        body=config.body_timeout,
        write=config.write_timeout,
        linger=config.linger_timeout,
    )


def serve(application: "WSGIApplication | Mapping[str, WSGIApplication]", **options: object) -> None:
    """Serve an application, or several by prefix, in this thread until SIGINT or SIGTERM. Raises `ConfigError`."""
    config = configure(**options)
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
        config = replace(config, access_logfile="-" if sys.stdout.isatty() else "off")
    listeners = open_listeners(config)
    gc.collect()
    gc.freeze()  # what was imported lives for ever: the collector need not walk it after every few hundred requests

    def work(announce: Callable[[], None] | None = None) -> None:
        server = Server(application, config, listeners=listeners, errors=errors)
        try:
            with _signals(server):
                if announce is not None:
                    announce()
                server.serve()
        finally:
            server.close()

    def announce() -> None:  # only once a signal would find us ready for it
        shape = f"{config.workers} x {config.strategy}" if config.workers else config.strategy
        sys.stderr.write(banner(__version__, [listener.url for listener in listeners], shape) + "\n")
        sys.stderr.flush()

    def stop_listening() -> None:
        for listener in listeners:
            listener.close()

    try:
        if config.workers:
            prefork.supervise(config.workers, work, announce, stop_listening)
        else:
            work(announce)
    finally:
        stop_listening()
    log.info("stopped")


@contextmanager
def _signals(server: Server) -> Iterator[None]:
    """Let SIGINT and SIGTERM stop the server. The handler records and wakes; the strategy does the work."""

    def stop(number: int, frame: FrameType | None) -> None:
        server.shutdown()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

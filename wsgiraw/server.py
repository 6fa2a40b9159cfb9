"""The composition root: puts listeners, gateway and strategy together as the configuration says."""

import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO
from wsgiref.validate import validator

from wsgiraw.clock import Clock
from wsgiraw.config import Config, configure
from wsgiraw.net import Certificates, Listener, listen
from wsgiraw.observe import open_access_log, reopen
from wsgiraw.retirement import request_limit
from wsgiraw.shares import capacity, forwarding, limits, static_files, timeouts, tls_settings
from wsgiraw.strategies import STRATEGIES, Patience, Pulse, Service, Stop, Tally, serial
from wsgiraw.trust import TrustedPeers
from wsgiraw.version import __version__
from wsgiraw.wsgi import Gateway, Health, Redirect, beside

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from wsgiraw.trace.tracer import Tracer

__all__ = ["Server", "open_listeners"]


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
        certificates: Certificates | None = None,
        pulse: Pulse | None = None,
        master: int | None = None,
        **options: object,
    ) -> None:
        """Listen. Give a `config` or `options`.

        `listeners` are used instead of `config.addresses`; `errors` is the stream of `wsgi.errors`, standard error by
        default; `certificates` are used instead of those that `config` names; `pulse` is what a master sees of us,
        `master` a descriptor that becomes readable when it is no more.
        There is an access log only where `access_logfile` names one.
        """
        self.config = config = configure(**options) if config is None else config
        self._strategy = STRATEGIES[config.strategy]
        self._thread: threading.Thread | None = None
        self._running = threading.RLock()
        self._pulse = pulse or Pulse()
        self._tally = Tally()
        if certificates is None and (settings := tls_settings(config)) is not None:
            certificates = Certificates(settings)
        self._certificates = certificates
        self._closed = False
        clock = Clock()
        self._access_log = open_access_log(config.access_logfile, clock) if config.access_logfile else None
        self._errors = errors or sys.stderr
        self._process = os.getpid()
        self._shared = master is not None
        self._stop = Stop(config.graceful_timeout, master)
        if config.static:
            application = beside(application, *static_files(config))
        self._tracer: Tracer | None = None
        if config.traces:
            from wsgiraw.trace.tracer import open_tracer  # nobody else imports it

            self._tracer = open_tracer(config)
            application = self._tracer.application(application)
        if config.lint:
            application = validator(application)
        if config.redirect_http is not None:
            application = Redirect(application)
        if config.health_path:
            application = Health(application, config.health_path, lambda: self._stop.draining)
        gateway = Gateway if self._tracer is None else self._tracer.gateway
        self._gateway = gateway(
            application,
            limits=limits(config),
            clock=clock,
            software=f"wsgiraw/{__version__}",
            errors=self._errors,
            server_header=config.server_header,
            access_log=self._access_log,
            lint=config.lint,
            multithread=self._strategy.multithread and config.threads > 1,
            multiprocess=self._strategy.multiprocess or config.workers > 1,
            run_once=self._strategy.multiprocess and config.keep_alive == 0,
            on_finished=request_limit(config, self._pulse),
            forwarding=forwarding(config),
        )
        self._patience: Patience | None = None
        if config.request_timeout:
            self._patience = Patience(config.request_timeout, self._gateway, self._lose_thread)
            self._gateway.patience = self._patience
        try:
            self.listeners = open_listeners(config) if listeners is None else listeners
        except BaseException:
            self.listeners = ()
            self.close()
            raise

    @property
    def url(self) -> str:
        """Where the first listener answers, such as `http://127.0.0.1:8000`."""
        return self.listeners[0].url(tls=self._certificates is not None)

    @property
    def port(self) -> int:
        """The TCP port of the first listener; 0 for a unix socket."""
        return self.listeners[0].port

    @property
    def tally(self) -> Mapping[str, int]:
        """How many clients were parted with, by reason: see `wsgiraw.strategies.Tally`."""
        return self._tally

    def serve(self) -> None:
        """Serve in this thread until `shutdown()`; then all in flight is done or dropped, and nothing listens."""
        with self._running:
            if not self._closed:
                self._strategy.serve(self._service())

    def serve_one(self) -> None:
        """Wait for one connection, answer its first request and close it; return at once after `shutdown()`."""
        serial.serve_once(self._service())

    def _service(self) -> Service:
        config = self.config
        service = Service(
            listeners=self.listeners,
            gateway=self._gateway,
            stop=self._stop,
            timeouts=timeouts(config),
            capacity=capacity(config),
            pulse=self._pulse,
            tally=self._tally,
            certificates=self._certificates,
            announcers=TrustedPeers(config.trusted_proxies if config.proxy_protocol else ()),
            health_path=config.health_path,
            shared=self._shared,
        )
        return service if self._tracer is None else self._tracer.service(service)

    def _lose_thread(self) -> None:
        if os.getpid() != self._process:
            os._exit(1)  # it serves this one connection, for `forking`
        self._pulse.retire("a request has run for too long")
        self._stop.wake()

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self.serve, name="wsgiraw", daemon=True)
        self._thread.start()

    def shutdown(self) -> None:
        """Ask to stop, from any thread or signal handler; a second time, to drop what is in flight too."""
        self._stop.request()

    @property
    def wakeup_descriptor(self) -> int:
        """For `signal.set_wakeup_fd`, so that no signal is slept through."""
        return self._stop.wakeup_descriptor

    def time_to_stop(self) -> float:
        """Return how long what is in flight may still take, in seconds; infinity unless asked to stop."""
        return max(self._stop.deadline - time.monotonic(), 0.0)

    def drain(self) -> None:
        """Say that `shutdown()` will follow: connections are still accepted, but do not persist."""
        self._stop.drain()

    @property
    def stopping(self) -> bool:
        """Whether we have been asked to stop."""
        return self._stop.requested

    def reopen_logs(self) -> None:
        """Have the log files opened again under their names, by the thread that serves. Safe in a signal handler."""
        self._stop.post(self._reopen_logs)

    def _reopen_logs(self) -> None:
        reopen(self._errors)
        if self._access_log is not None:
            self._access_log.reopen()
        if self._tracer is not None:
            self._tracer.reopen()

    def shutdown_gracefully(self) -> None:
        """Ask to stop; asked again, nothing changes."""
        if not self._stop.requested:
            self._stop.request()

    def shutdown_at_once(self) -> None:
        """Ask to stop and to drop what is in flight."""
        self.shutdown_gracefully()
        self._stop.request()

    def close(self) -> None:
        """Stop, wait until that is done, and give every descriptor back. Closing twice is allowed."""
        if self._closed:
            return
        self.shutdown_gracefully()
        if self._thread is not None:
            self._thread.join()
        with self._running:  # whoever else serves has stopped
            self._closed = True
        for listener in self.listeners:
            listener.close()
        self._stop.close()
        if self._patience is not None:
            self._patience.close()
        if self._access_log is not None:
            self._access_log.close()
        if self._tracer is not None:
            self._tracer.close()

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

"""`make_server` with the signature and the methods of wsgiref's, for programs that were written for that one."""

import threading
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from wsgiraw.config import configure
from wsgiraw.server import Server

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["SimpleServer", "make_server"]


class SimpleServer:
    """What `wsgiref.simple_server.make_server` returns, as far as programs use it."""

    def __init__(self, host: str, port: int, application: "WSGIApplication", **options: object) -> None:
        """Listen on host ("" is every address) and port (0 lets the kernel pick). Options are those of `Config`."""

        def serving(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            self._thread.serves = True
            return application(environ, start_response)

        self._thread = threading.local()
        """`serves` is true for threads that serve or run the application: waiting, they would wait for themselves."""
        self._server = Server(serving, configure(host=host or "*", port=port, **options))
        self._finished = threading.Event()
        self._finished.set()
        self.server_address = self._server.listeners[0].socket.getsockname()[:2]
        self.server_port = self._server.port
        self.server_name = self._server.listeners[0].server_name

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Serve until `shutdown()`. Nothing is polled: the interval is accepted and not needed."""
        self._thread.serves = True
        self._finished.clear()
        try:
            self._server.serve()
        finally:
            self._finished.set()
            self._thread.serves = False

    def handle_request(self) -> None:
        """Wait for one connection, answer its first request and close it."""
        try:
            self._server.serve_one()
        finally:
            self._thread.serves = False

    def shutdown(self) -> None:
        """Let `serve_forever` return once what is in flight is done, and wait for that.

        Unlike wsgiref's it may be called by the application, or by a signal handler in the serving thread; there it
        does not wait.
        """
        self._server.shutdown()
        if not getattr(self._thread, "serves", False):
            self._finished.wait()

    def server_close(self) -> None:
        """Listen no longer."""
        self._server.close()

    def fileno(self) -> int:
        """Return the listening socket's descriptor."""
        return self._server.listeners[0].socket.fileno()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.server_close()


def make_server(host: str, port: int, app: "WSGIApplication", **options: object) -> SimpleServer:
    """Return a server for `app` that listens; call its `serve_forever()` or `handle_request()`."""
    return SimpleServer(host, port, app, **options)

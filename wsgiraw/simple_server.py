"""`make_server` with the signature and the methods of wsgiref's, for programs that were written for that one."""

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from wsgiraw.config import configure
from wsgiraw.server import Server

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["SimpleServer", "make_server"]


class SimpleServer:
    """What `wsgiref.simple_server.make_server` returns, as far as programs use it."""

    def __init__(self, host: str, port: int, application: "WSGIApplication", **options: object) -> None:
        """Listen on host ("" is every address) and port (0 lets the kernel pick). Options are those of `Config`."""
        self._server = Server(application, configure(host=host or "*", port=port, **options))
        self._serving: int | None = None
        """The thread in `serve_forever`."""
        self._finished = threading.Event()
        self._finished.set()
        self.server_address = self._server.listeners[0].socket.getsockname()[:2]
        self.server_port = self._server.port
        self.server_name = self._server.listeners[0].server_name

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Serve until `shutdown()`. Nothing is polled: the interval is accepted and not needed."""
        self._serving = threading.get_ident()
        self._finished.clear()
        try:
            self._server.serve()
        finally:
            self._finished.set()

    def handle_request(self) -> None:
        """Wait for one connection, answer its first request and close it."""
        self._server.serve_one()

    def shutdown(self) -> None:
        """Let `serve_forever` return once what is in flight is done, and wait for that.

        Unlike wsgiref's it may be called in the serving thread too, by the application or a signal handler; there it
        does not wait.
        """
        self._server.shutdown()
        if self._serving != threading.get_ident():
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

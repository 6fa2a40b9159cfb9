"""The application and all that is equal for its requests: one request in, octets out, pulled by a strategy.

It knows nothing of sockets and threads. Whoever pulls decides when the next piece is made; whoever closes the iterator
early says that the client has gone, and the application's `close()` runs all the same.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from wsgiraw.clock import Clock
from wsgiraw.errors import ApplicationError, ClientDisconnected, HTTPError
from wsgiraw.http11 import Limits, Request
from wsgiraw.http11.response import error_reply
from wsgiraw.observe import AccessLog, log
from wsgiraw.wsgi.environ import request_environ, server_environ
from wsgiraw.wsgi.file_wrapper import FileSegment, FileWrapper
from wsgiraw.wsgi.forwarded import FORWARDED, Forwarding
from wsgiraw.wsgi.patience import Patience
from wsgiraw.wsgi.spool_file import unsent_octets
from wsgiraw.wsgi.start_response import Send, StartResponse

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["Gateway", "Octets"]

Octets = bytes | FileSegment

_IN_MEMORY: tuple[type, ...] = (type(iter([])), type(iter(())))
"""Iterators that run no application code: Django's responses are such, and get their Content-Length here."""

_JOIN_BELOW = 64 * 1024
"""A larger body is sent behind its head, piece by piece, instead of copied to it."""


class Gateway:
    """Calls the application and turns what it returns into octets."""

    def __init__(
        self,
        application: "WSGIApplication",
        *,
        limits: Limits,
        clock: Clock,
        software: str,
        errors: TextIO,
        server_header: str = "wsgiraw",
        access_log: AccessLog | None = None,
        lint: bool = False,
        multithread: bool = False,
        multiprocess: bool = False,
        run_once: bool = False,
        on_finished: Callable[[], None] | None = None,
        forwarding: Forwarding | None = None,
    ) -> None:
        """`errors` is the stream of `wsgi.errors`; `lint` makes hop-by-hop fields an `ApplicationError`.

        `on_finished` is called after each exchange, by whoever finished it. `forwarding` is whom to believe about the
        client, by default nobody.
        """
        self.application = application
        self.limits = limits
        self.clock = clock
        self.server_field = f"Server: {server_header}\r\n" if server_header else ""
        self.access_log = access_log
        self._on_finished = on_finished
        self.patience: Patience | None = None
        self._forwarding = forwarding or Forwarding()
        self._lint = lint
        self._environ = server_environ(
            software, errors, multithread=multithread, multiprocess=multiprocess, run_once=run_once
        )
        self._dropped: set[str] = set()

    def connection_environ(
        self, server: tuple[str, str], peer: tuple[str, str], client: tuple[str, str] | None = None
    ) -> dict[str, Any]:
        """Return the variables that are equal for each request of a connection between two (address, port).

        `client` is who is behind the peer, where the connection itself began with saying that.
        """
        address, port = client or peer
        return {
            **self._environ,
            "SERVER_NAME": server[0],
            "SERVER_PORT": server[1],
            "REMOTE_ADDR": address,
            "REMOTE_PORT": port,
            "wsgiraw.peer": peer,
        }

    def respond(self, request: Request, connection_environ: dict[str, Any], send: Send) -> Iterator[Octets]:
        """Yield the response to `request`, never an empty piece, and settle `request.keep_alive`.

        `request.answered` is true once the octets yielded last are the end of it. `send` serves the application's
        `write()`. Raises `ApplicationError` where the response breaks off: the connection must be cut.
        """
        start_response = StartResponse(self, request, send)
        result: Iterable[bytes] | None = None
        began = self.clock.now  # noqa: F841 - for whoever looks at the stack of a thread
        pulled = False  # between a yield and the next pull: what is raised then comes from whoever pulls
        try:
            if not FORWARDED.isdisjoint(request.fields):
                try:
                    connection_environ = self._forwarding.connection_environ(connection_environ, request.fields)
                except HTTPError as error:
                    log.debug("%s: %s", connection_environ["REMOTE_ADDR"], error)
                    yield start_response.refuse(error)
                    return
            environ = request_environ(connection_environ, request)
            try:
                result = self.application(environ, start_response)
                unsent = start_response.end_writing()
                if unsent is not None:
                    pulled = True
                    yield from unsent_octets(unsent)
                    pulled = False
                kind = type(result)
                if kind is list or kind is tuple:
                    pieces = result
                elif isinstance(result, FileWrapper) and (segment := result.segment()) is not None:
                    if not start_response.begun:
                        octets = start_response.begin(segment.size)
                        pulled = True
                        yield octets
                        pulled = False
                        if (rest := start_response.permitted(segment)) is not None:
                            request.answered = pulled = True
                            yield rest
                        return
                    pieces = iter(result)
                else:
                    pieces = iter(result)
                    if type(pieces) in _IN_MEMORY:
                        pieces = list(pieces)
                if type(pieces) is list or type(pieces) is tuple:
                    size = _size(pieces)
                    if size <= _JOIN_BELOW or start_response.begun:
                        octets = start_response.whole(pieces[0] if len(pieces) == 1 else b"".join(pieces))
                        request.answered = pulled = True
                        if octets:
                            yield octets
                        return
                    octets = start_response.begin(size)
                    pulled = True
                    yield octets
                    pulled = False
                    if start_response.bodiless:
                        return
                for piece in pieces:
                    octets = start_response.framed(piece)
                    if octets:
                        pulled = True
                        yield octets
                        pulled = False
                    if start_response.overrun or (start_response.bodiless and start_response.begun):
                        break  # PEP 3333 "Handling the Content-Length Header": no more is asked for than is sent
                else:
                    octets = start_response.end()
                    if octets:
                        request.answered = pulled = True
                        yield octets
            except (ClientDisconnected, KeyboardInterrupt):
                raise  # the client left while write() was sending, or the operator wants to stop
            except BaseException as error:  # SystemExit, CancelledError, GeneratorExit: none may stop the server
                if pulled:
                    raise
                failure = self._failed(error, request, start_response)
                if failure is None:
                    raise ApplicationError("the response broke off") from error
                yield failure
        finally:
            self._finish(request, connection_environ, start_response, result)

    def _failed(self, error: BaseException, request: Request, start_response: StartResponse) -> bytes | None:
        """Log the application's fault; return a 500, or None where a part of its response has been sent."""
        if isinstance(error, ApplicationError):
            self.report(str(error), request)
        else:
            log.error("%s %s: the application failed", request.method, request.path, exc_info=error)
        return start_response.fail()

    def _finish(
        self,
        request: Request,
        connection_environ: dict[str, Any],
        start_response: StartResponse,
        result: Iterable[bytes] | None,
    ) -> None:
        """Clean up after an exchange, however it ended: `close()` exactly once (PEP 3333)."""
        try:
            close = getattr(result, "close", None)
            if close is not None:
                close()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            log.error("%s %s: the application's close() failed", request.method, request.path, exc_info=error)
        start_response.give_up_writing()
        if request.body is not None:
            with suppress(BufferError, OSError, ValueError):  # the application may have exported or detached it
                request.body.close()
        answered_by_us = self.patience is not None and not self.patience.leave(request)
        if self.access_log is not None and not answered_by_us:
            status = int(start_response.status[:3]) if start_response.begun and start_response.status else 0
            line = f"{request.method} {request.target} {request.version}"
            peer = connection_environ["REMOTE_ADDR"]
            self.access_log.write(peer, line, status, start_response.sent, request.fields)
        if self._on_finished is not None:
            self._on_finished()

    def client(self, connection_environ: dict[str, Any], request: Request | None) -> str:
        """Return the address of whoever sent a request, as far as it is to be believed; of the peer where it is not."""
        if request is not None and not FORWARDED.isdisjoint(request.fields):
            with suppress(HTTPError):
                connection_environ = self._forwarding.connection_environ(connection_environ, request.fields.copy())
        address: str = connection_environ["REMOTE_ADDR"]
        return address

    def reject(self, error: HTTPError, connection_environ: dict[str, Any], request: Request | None = None) -> bytes:
        """Return the reply to what a client did wrong, or to a request that is given up; then the connection closes."""
        client = self.client(connection_environ, request)
        if self.access_log is not None:
            self.access_log.write(client, "-", error.status.value, len(error.detail) + 1, {})
        log.debug("%s: %s", client, error)
        return error_reply(error, self.clock.http_date, self.server_field)

    def report(self, what: str, request: Request) -> None:
        """Log what the application did wrong with this request."""
        log.error("%s %s: %s", request.method, request.path, what)

    def report_dropped(self, names: tuple[str, ...]) -> None:
        """Warn once for each hop-by-hop field that the application set (PEP 3333 "Other HTTP Features")."""
        if self._lint:
            raise ApplicationError(f"the application set {names[0]}, which belongs to the connection")
        for name in names:
            if name not in self._dropped:
                self._dropped.add(name)
                log.warning("the application set %s, which belongs to the connection: it is not sent", name)


def _size(pieces: Sequence[bytes]) -> int:
    """Return how many octets a body has. Raises `ApplicationError` where something else is among its pieces."""
    if len(pieces) == 1 and type(pieces[0]) is bytes:
        return len(pieces[0])
    for piece in pieces:
        if type(piece) is not bytes:
            raise ApplicationError(f"the body has a piece of type {type(piece).__name__}, not bytes")
    return sum(map(len, pieces))

"""A `Gateway` that tells what goes out, and what went wrong. It changes nothing of that."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from wsgiraw.errors import ApplicationError, HTTPError
from wsgiraw.http11 import Request
from wsgiraw.trace.exchange import CONVERSATION, Conversation, Exchange
from wsgiraw.wsgi import FileSegment, Gateway, Octets
from wsgiraw.wsgi.start_response import Send, StartResponse

__all__ = ["TracedGateway"]


class TracedGateway(Gateway):
    """Its environ of a connection has a conversation in it, which is told what happens."""

    def __init__(self, converse: Callable[[], Conversation], *given: Any, **more: Any) -> None:
        """`converse` begins a conversation; the rest is for `Gateway`."""
        super().__init__(*given, **more)
        self._converse = converse
        self._exchanges: dict[Request, Exchange] = {}
        """Those that are being answered."""

    def connection_environ(self, *given: Any, **more: Any) -> dict[str, Any]:
        return {**super().connection_environ(*given, **more), CONVERSATION: self._converse()}

    def respond(self, request: Request, connection_environ: dict[str, Any], send: Send) -> Iterator[Octets]:
        conversation: Conversation = connection_environ[CONVERSATION]
        exchange = conversation.current
        assert exchange is not None, "a request that no connection has told of"
        self._exchanges[request] = exchange
        exchange.begin_answering()

        def write(octets: bytes) -> int:
            taken = send(octets)
            if taken:
                conversation.sent(exchange, octets[:taken])
            return taken

        response = super().respond(request, connection_environ, write)
        complete = False
        try:
            while True:
                began = time.perf_counter()
                octets = next(response, None)
                now = time.perf_counter()
                exchange.running += now - began
                if octets is None:
                    break
                if isinstance(octets, FileSegment):
                    exchange.octets += octets.size
                    exchange.tell("sent", octets=octets.size, offset=octets.offset)
                else:
                    conversation.sent(exchange, octets)
                now = time.perf_counter()
                yield octets
                exchange.sending += time.perf_counter() - now
            complete = True
        finally:
            response.close()  # type: ignore[attr-defined]  # a generator
            del self._exchanges[request]
            exchange.done(complete=complete, keep_alive=request.keep_alive)

    def reject(self, error: HTTPError, connection_environ: dict[str, Any], request: Request | None = None) -> bytes:
        octets = super().reject(error, connection_environ, request)
        conversation: Conversation = connection_environ[CONVERSATION]
        exchange = conversation.arriving() if request is None else conversation.current or conversation.arriving()
        exchange.tell("refused", status=f"{error.status.value} {error.status.phrase}", detail=error.detail)
        conversation.sent(exchange, octets)
        return octets

    def report(self, what: str, request: Request) -> None:
        self._failed_with(what, request)
        super().report(what, request)

    def _failed(self, error: BaseException, request: Request, start_response: StartResponse) -> bytes | None:
        if not isinstance(error, ApplicationError):  # which is reported
            self._failed_with(f"{type(error).__name__}: {error}", request)
        return super()._failed(error, request, start_response)

    def _failed_with(self, error: str, request: Request) -> None:
        exchange = self._exchanges.get(request)
        if exchange is not None:
            exchange.failed = exchange.conversation.failed = True
            exchange.tell("failed", error=error)

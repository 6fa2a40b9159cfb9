"""`start_response` and `write` of one request (PEP 3333), and the framing of the body that they announce."""

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

from wsgiraw.errors import ApplicationError, ClientDisconnected, HTTPError
from wsgiraw.http11 import Request, Spool
from wsgiraw.http11.response import LAST_CHUNK, chunk, response_head
from wsgiraw.wsgi.file_wrapper import FileSegment
from wsgiraw.wsgi.spool_file import open_spool_file

if TYPE_CHECKING:
    from wsgiraw.wsgi.gateway import Gateway

__all__ = ["Send", "StartResponse"]

Send = Callable[[bytes], int]
"""Give octets to the socket at once; return how many it took."""

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class StartResponse:
    """The callable that an application announces its response with; one for each request."""

    __slots__ = (
        "_chunked",
        "_fields",
        "_gateway",
        "_remaining",
        "_request",
        "_send",
        "_spool",
        "_writable",
        "begun",
        "overrun",
        "sent",
        "status",
    )

    def __init__(self, gateway: "Gateway", request: Request, send: Send) -> None:
        self._gateway = gateway
        self._request = request
        self._send = send
        self._spool: Spool | None = None
        self._writable = True
        self.status: str | None = None
        self._fields: list[tuple[str, str]] = []
        self.begun = False
        """The head has been given out."""
        self.overrun = False
        """The application gave more than its Content-Length."""
        self._remaining: int | None = None
        """Octets of body that may still be given out, None where that is not known."""
        self._chunked = False
        self.sent = 0
        """Octets of body that have been given out."""

    def __call__(
        self, status: str, fields: list[tuple[str, str]], exc_info: _ExcInfo | None = None, /
    ) -> Callable[[bytes], None]:
        """Announce status and fields; they are sent with the first octets of body (PEP 3333)."""
        if exc_info is not None:
            try:
                if self.begun and exc_info[1] is not None:
                    raise exc_info[1].with_traceback(exc_info[2])
                if self.begun:
                    raise ApplicationError(
                        "start_response was called after the head was sent, and without an exception"
                    )
            finally:
                exc_info = None  # a cycle through the traceback would keep the frame
        elif self.status is not None:
            raise ApplicationError("start_response was called a second time without exc_info")
        if type(status) is not str:
            raise ApplicationError(f"the status is {type(status).__name__}, not str")
        self.status = status
        self._fields = fields
        return self.write

    def write(self, piece: bytes) -> None:
        """Send a piece of body at once, as PEP 3333 asks of this callable.

        What the socket does not take waits in a spool, first in memory, then on disk, until the application returns.
        """
        if not self._writable:
            raise ApplicationError("write() was called after the application had returned")
        if self.overrun or (self.begun and self.bodiless):
            return
        octets = self.framed(piece)
        if self._spool is None:
            octets = octets[self._send(octets) :]
        if octets:
            if self._spool is None:
                self._spool = Spool(self._gateway.limits.spool, open_spool_file)
            self._spool.write(octets)

    def end_writing(self) -> BinaryIO | None:
        """Allow no more `write`; return what it could not send, to be read from its beginning and closed.

        Raises `OSError` where a full disk cannot take what is still buffered.
        """
        self._writable = False
        unsent = None if self._spool is None else self._spool.finish()
        self._spool = None
        return unsent

    def give_up_writing(self) -> None:
        """Allow no more `write`, and forget what it could not send."""
        self._writable = False
        if self._spool is not None:
            self._spool.close()

    def begin(self, length: int | None) -> bytes:
        """Return the head; `length` is the size of the body where the whole of it is known."""
        if self.status is None:
            raise ApplicationError("start_response was not called before the body")
        gateway = self._gateway
        if gateway.patience is not None and not gateway.patience.begin(self._request):
            raise ClientDisconnected  # it has had its answer
        gateway.clock.update()  # the application may have taken its time
        octets, self._remaining, self._chunked, dropped = response_head(
            self._request, self.status, self._fields, length, gateway.clock.http_date, gateway.server_field
        )
        if dropped:
            gateway.report_dropped(dropped)
        self.begun = True
        return octets

    def framed(self, piece: bytes) -> bytes:
        """Return the octets that send a piece of body, behind the head if that is still to be sent."""
        if type(piece) is not bytes:
            raise ApplicationError(f"the body has a piece of type {type(piece).__name__}, not bytes")
        if not piece:
            return b""
        if not self.begun:
            octets = self.begin(None)
            return octets if self.bodiless else octets + self._framed_body(piece)
        return self._framed_body(piece)

    def _framed_body(self, piece: bytes) -> bytes:
        remaining = self._remaining
        if remaining is not None:
            if len(piece) > remaining:
                if not self.overrun:
                    self.overrun = True
                    what = "the body is longer than its Content-Length: the rest is not sent"
                    self._gateway.report(what, self._request)
                piece = piece[:remaining]
            self._remaining = remaining - len(piece)
        self.sent += len(piece)
        return chunk(piece) if self._chunked and piece else piece

    def whole(self, body: bytes) -> bytes:
        """Return head and body of a response whose body is all there."""
        if self.begun:  # write() was called before
            return self.framed(body) + self.end()
        size = len(body)
        octets = self.begin(size)
        if self._remaining == size:
            self._remaining = 0
            self.sent = size
            return octets + body
        if self._remaining == 0 and (not body or self.bodiless):
            return octets
        return octets + self._framed_body(body) + self.end()

    def permitted(self, segment: FileSegment) -> FileSegment | None:
        """Return as much of a file as the head, which has been given out, allows; count it as sent."""
        if self.bodiless:
            return None
        descriptor, offset, available = segment
        size = min(available, self._remaining or 0)
        self._remaining = (self._remaining or 0) - size
        self.sent += size
        self.end()
        return FileSegment(descriptor, offset, size) if size else None

    @property
    def bodiless(self) -> bool:
        """The response has no body, whatever the application yields: HEAD, 1xx, 204, 304 (RFC 9110 §6.4.1)."""
        return self.status is not None and (
            self._request.method == "HEAD" or self.status[:3] in ("204", "304") or self.status[:1] == "1"
        )

    def end(self) -> bytes:
        """Return the octets that end the body. A body that is too short cannot be mended: the connection is closed."""
        if not self.begun:
            return self.begin(None if self._request.method == "HEAD" else 0)
        if self._remaining:
            self._request.keep_alive = False
            self._gateway.report("the body is shorter than its Content-Length: the connection is closed", self._request)
        return LAST_CHUNK if self._chunked else b""

    def fail(self) -> bytes | None:
        """Return a plain 500 where nothing has been sent, else None."""
        if self.begun:
            return None
        return self._say("500 Internal Server Error", b"The application failed; its error log says why.\n")

    def refuse(self, error: HTTPError) -> bytes:
        """Return the reply that refuses the request instead of an application's; the connection is then closed."""
        self._request.keep_alive = False
        return self._say(f"{error.status.value} {error.status.phrase}", f"{error.detail}\n".encode("latin-1"))

    def _say(self, status: str, body: bytes) -> bytes:
        self.status = status
        self._fields = [("Content-Type", "text/plain; charset=utf-8")]
        self._request.answered = True
        return self.whole(b"" if self._request.method == "HEAD" else body)

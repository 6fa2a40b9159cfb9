"""The server's side of one HTTP/1.1 connection as a state machine: octets in, `Request` objects out (RFC 9112).

It never waits, sends or reads: a strategy hands it what arrived and asks for the next request.
"""

import re
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from typing import BinaryIO

from wsgiraw.errors import HTTPError
from wsgiraw.http11.body import Body, ChunkedBody, LengthBody, Spool
from wsgiraw.http11.grammar import TCHAR
from wsgiraw.http11.head import split_head
from wsgiraw.http11.limits import Limits
from wsgiraw.http11.memory import FREE
from wsgiraw.http11.request import Request
from wsgiraw.http11.state import State

__all__ = ["Connection"]


_IDLE, _HEAD, _BODY, _RESPONDING, _CLOSED = State  # looked up once: in Python 3.11 that takes a thousand instructions
_GULP, _SIP = 64 * 1024, 4 * 1024

_BARE = re.compile(rb"\r(?=[^\n])|(?<!\r)\n")


class Connection:
    """Octets of one connection to requests, in order, one at a time.

    `receive` what arrived, then take `next_request()` until it returns None; each call says that the response to the
    request before has been given to the socket. None means that more octets must arrive first, or, in `State.CLOSED`,
    that none will be read. `HTTPError` is raised once; the connection is then closed.
    """

    __slots__ = (
        "_arriving",
        "_at",
        "_body",
        "_data",
        "_ended",
        "_limits",
        "_open_file",
        "_partial",
        "_request",
        "appetite",
        "state",
    )

    def __init__(self, limits: Limits, open_file: Callable[[], BinaryIO]) -> None:
        """`open_file` gives a new temporary file for a body that is larger than `limits.spool`."""
        self._limits = limits
        self._open_file = open_file
        self.state = _IDLE
        self.appetite = _GULP
        """How many octets to receive at once: few where little of them is data, since such take long to read."""
        self._data = b""
        """The octets that arrived last; those before `_at` are used."""
        self._at = 0
        self._partial: bytearray | None = None
        """A head of which octets arrived earlier."""
        self._arriving: Request | None = None
        """A request whose body is arriving."""
        self._body: Body | None = None
        self._request: Request | None = None
        """The request given out last."""
        self._ended = False

    def receive(self, data: bytes) -> None:
        """Take what the client sent; empty, that it has sent its last octet (it may still be reading)."""
        if not data:
            self._ended = True
        elif self._at == len(self._data):
            self._data = data
            self._at = 0
        else:
            self._data = self._data[self._at :] + data
            self._at = 0

    @property
    def has_input(self) -> bool:
        """Octets are here that no request has used yet."""
        return self._at < len(self._data)

    @property
    def ended(self) -> bool:
        """The client has sent its last octet."""
        return self._ended

    @property
    def body_octets(self) -> int:
        """How many octets of the body that is arriving have arrived, decoded."""
        return 0 if self._body is None else self._body.spool.size

    def takes_continue(self) -> bool:
        """Whether the client waits for 100 Continue now; true once per request (RFC 9110 §10.1.1)."""
        request = self._arriving
        if request is None or not request.expects_continue:
            return False
        request.expects_continue = False
        return self._body is not None and self._body.spool.size == 0

    def next_request(self) -> Request | None:
        """Return the next complete request, or None. Raises `HTTPError`."""
        if self.state is _CLOSED:
            return None
        head: bytes | None = None
        try:
            if self._arriving is not None:
                return self._continue_body(self._arriving)
            request = self._request
            if request is not None and not request.keep_alive:
                self.state = _CLOSED
                return None
            head = self._take_head()
            if head is None:
                return None
            limits = self._limits
            request = Request(*split_head(head, limits.fields), strict_host=limits.strict_host)
            if request.chunked or request.content_length:
                return self._begin_body(request)
        except HTTPError as error:
            arriving = self._arriving
            begun = head or self._partial or b""
            error.to_head = begun.startswith(b"HEAD ") or (arriving is not None and arriving.method == "HEAD")
            self.close()
            raise
        self.state = _RESPONDING
        self._request = request
        return request

    def close(self) -> None:
        """Give up what has arrived; no further request will come."""
        self.state = _CLOSED
        self._data, self._at, self._partial, self._arriving = b"", 0, None, None
        if self._body is not None:
            self._body.spool.close()
            self._body = None

    def _take_head(self) -> bytes | None:
        """Return the octets of a complete head without its empty line, or None."""
        data, at = self._data, self._at
        partial = self._partial
        if partial is None:
            if at == len(data):
                self.state = _CLOSED if self._ended else _IDLE
                self._data, self._at, self._request = b"", 0, None  # an idle connection keeps nothing
                return None
            end = data.find(b"\r\n\r\n", at)
            if end >= 0:
                self._at = end + 4
                return self._judged(data[at:end])
            self._partial = partial = bytearray()
        searched = max(len(partial) - 3, 0)  # only new octets are searched: linear, however they are dripped
        partial += data[at:]
        self._data, self._at = b"", 0
        end = partial.find(b"\r\n\r\n", searched)
        if end >= 0:
            self._data = bytes(partial[end + 4 :])
            self._partial = None
            return self._judged(bytes(partial[:end]))
        self._check_prefix(partial, searched)
        if b"\r\n".startswith(partial):  # an empty line before a request (RFC 9112 §2.2) is none yet
            self.state = _CLOSED if self._ended else _IDLE
            return None
        if self._ended:
            raise _bad("the request ended inside its head")  # RFC 9112 §8
        self.state = _HEAD
        return None

    def _judged(self, head: bytes) -> bytes:
        """Return a complete head, less one empty line before it (RFC 9112 §2.2)."""
        if head[:2] == b"\r\n":
            head = head[2:]
        if len(head) > self._limits.request_line or len(head) + 4 > self._limits.head:
            self._check_prefix(head + b"\r\n\r\n", 0)
        return head

    def _check_prefix(self, head: bytes | bytearray, searched: int) -> None:
        """Refuse a head, complete or not, for what no further octet can mend.

        Of several faults the one that shows first is reported, so that the answer does not depend on how the octets
        were cut. `searched` octets have been checked for line ends before.
        """
        begin = 2 if head[:2] == b"\r\n" else 0
        if len(head) > begin and head[begin] not in TCHAR and head[begin : begin + 2] not in (b"\r", b"\r\n"):
            raise _bad("a request begins with a method: is this TLS or another protocol on a plain HTTP port?")
        bare = _BARE.search(head, max(searched - 1, 0))
        shown = bare.end() if bare else len(head)
        limit = self._limits.request_line + 2
        if shown >= begin + limit > searched and head.find(b"\r\n", begin, begin + limit) < 0:  # looked for once
            raise HTTPError(HTTPStatus.REQUEST_URI_TOO_LONG, "request line is too long")
        if shown > begin + self._limits.head:
            raise HTTPError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "request head is too long")
        if bare:
            raise _bad("bare CR or LF in the request head: lines end with CRLF")  # RFC 9112 §2.2

    def _begin_body(self, request: Request) -> Request | None:
        limits = self._limits
        length, at = request.content_length, self._at
        if length > limits.body:
            raise HTTPError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request body is too large")
        if 0 < length <= FREE and length <= limits.spool and len(self._data) - at >= length:  # all of it is here
            self._at = at + length
            request.body = BytesIO(self._data[at : at + length])
            self.state = _RESPONDING
            self._request = request
            return request
        spool = Spool(limits.spool, self._open_file, limits.memory)
        self._body = ChunkedBody(limits, spool) if request.chunked else LengthBody(length, spool)
        self._arriving = request
        return self._continue_body(request)

    def _continue_body(self, request: Request) -> Request | None:
        """Return the request once its body is complete."""
        body = self._body
        assert body is not None
        try:
            at, size = self._at, body.spool.size
            self._at = body.receive(self._data, at)
            if not body.complete:
                if self._ended:
                    raise _bad("the request ended inside its body")  # RFC 9112 §8
                self.state = _BODY
                self.appetite = _GULP if (body.spool.size - size) * 4 >= self._at - at else _SIP
                self._data, self._at = b"", 0  # all of it is used, and memory for bodies is counted elsewhere
                return None
            self.appetite = _GULP
            request.body = body.spool.finish()
        except OSError as error:
            raise HTTPError(HTTPStatus.INSUFFICIENT_STORAGE, "no room to keep the request body") from error
        if request.chunked:
            request.fields["CONTENT_LENGTH"] = str(body.spool.size)  # RFC 9112 §7.1.3
        self._arriving = self._body = None
        self.state = _RESPONDING
        self._request = request
        return request


def _bad(detail: str) -> HTTPError:
    return HTTPError(HTTPStatus.BAD_REQUEST, detail)

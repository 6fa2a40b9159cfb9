"""A model of RFC 9112 for a server: slow, and plain to see to be right. It shares no code with `wsgiraw.http11`.

It has all octets of a connection at once, and rereads them from the beginning of each request. Where the RFCs leave a
choice, it says what docs/server-behaviour.md says. Of several faults in a head it tells all statuses: which of them is
noticed first is nobody's business.
"""

import re
from collections.abc import Iterator

from tests.fuzz.chunked import read_chunked
from tests.fuzz.grammar import (
    ABSOLUTE_FORM,
    AUTHORITY_FORM,
    FIELD_LINE,
    HOST,
    HTTP_VERSION,
    ORIGIN_FORM,
    TOKEN,
    VISIBLE,
)
from tests.fuzz.verdict import Accepted, End, Incomplete, Refused, Verdict
from wsgiraw.http11 import Limits

__all__ = ["judge"]

NO_LISTS = [
    "authorization",
    "content-length",
    "content-type",
    "date",
    "from",
    "host",
    "if-modified-since",
    "if-range",
    "if-unmodified-since",
    "max-forwards",
    "proxy-authorization",
    "range",
    "referer",
    "user-agent",
]


def judge(octets: bytes, limits: Limits) -> Verdict:
    """Say what must come of these octets. That no more will come is another matter: see `End`."""
    requests: list[Accepted] = []
    try:
        while True:
            if octets in (b"", b"\r", b"\r\n"):  # RFC 9112 §2.2: an empty line before a request is skipped
                return Verdict(requests=tuple(requests), end=End.BETWEEN)
            request, octets = read_request(octets.removeprefix(b"\r\n"), limits)
            requests.append(request)
            if not request.keep_alive:
                return Verdict(requests=tuple(requests), end=End.CLOSED)
    except Incomplete:
        return Verdict(requests=tuple(requests), end=End.INCOMPLETE)
    except Refused as refused:
        return Verdict(requests=tuple(requests), end=End.REFUSED, statuses=frozenset(refused.args))


def read_request(octets: bytes, limits: Limits) -> tuple[Accepted, bytes]:
    """Return the first request, and what is behind it."""
    octets_of_head, end, rest = octets.partition(b"\r\n\r\n")
    if faults := set(faults_at_sight(octets_of_head + end, limits)):
        raise Refused(*faults)
    if not end:
        raise Incomplete
    head = Head(octets_of_head.decode("latin-1"))
    if faults := set(faults_of_head(head, limits)):
        raise Refused(*faults)
    if head.fields.pop("transfer-encoding", None) is not None:  # RFC 9112 §7.1.3
        body, rest = read_chunked(rest, limits)
        head.fields["content-length"] = str(len(body))
    else:
        length = int(head.fields.get("content-length", "0"))  # RFC 9112 §6.3
        body, rest = rest[:length], rest[length:]
        if len(body) < length:
            raise Incomplete
    return head.accepted(body), rest


def faults_at_sight(octets: bytes, limits: Limits) -> Iterator[int]:
    """Yield the status of each fault that is answered before the head is complete."""
    if not TOKEN.match(octets[:1].decode("latin-1")) and octets != b"\r":  # the rest of a second empty line may come
        yield 400
    if re.search(rb"(?<!\r)\n|\r(?!\n|\Z)", octets):  # RFC 9112 §2.2
        yield 400
    line, end, _ = octets.partition(b"\r\n")
    if len(line) > limits.request_line + (0 if end else 1):  # the last octet may be the CR of its end
        yield 414
    if len(octets) > limits.head:
        yield 431


class Head:
    """A head in its parts, of which some may be malformed."""

    def __init__(self, text: str) -> None:
        self.request_line, *self.lines = text.split("\r\n")
        self.words = self.request_line.split(" ")
        self.method, self.target, self.version = self.words if len(self.words) == 3 else ("", "", "")
        self.major, self.minor = version.groups() if (version := HTTP_VERSION.fullmatch(self.version)) else ("", "")
        self.names: list[str] = []
        self.fields: dict[str, str] = {}
        """By name in lower case, joined where a name is repeated."""
        for line in self.lines:
            if match := FIELD_LINE.fullmatch(line):
                self._add(match[1].lower(), match[2])

    def _add(self, name: str, value: str) -> None:
        if "_" in name or name == "proxy":
            return
        self.names.append(name)
        separator = "; " if name == "cookie" else ", "  # RFC 9110 §5.3, RFC 6265 §5.4
        self.fields[name] = self.fields[name] + separator + value if name in self.fields else value

    def elements(self, name: str) -> list[str]:
        """Return a field as a list in lower case (RFC 9110 §5.6.1)."""
        return [element.strip(" \t").lower() for element in self.fields.get(name, "").split(",")]

    def accepted(self, body: bytes) -> Accepted:
        """Return the request, which has been found to be without fault."""
        path, query = "/", None  # RFC 9112 §3.2.4
        if match := ORIGIN_FORM.fullmatch(self.target):
            path, query = match.groups()
        elif match := ABSOLUTE_FORM.fullmatch(self.target):
            self.fields["host"], path, query = match.groups()  # RFC 9112 §3.2.2
        version = "HTTP/1.0" if self.minor == "0" else "HTTP/1.1"  # RFC 9110 §2.5
        options = self.elements("connection")
        return Accepted(
            method=self.method,
            target=self.target,
            version=version,
            path=path or "/",
            query=query or "",
            fields={meta_variable(name): value for name, value in self.fields.items()},
            keep_alive="close" not in options and (version == "HTTP/1.1" or "keep-alive" in options),  # RFC 9112 §9.3
            body=body,
        )


def meta_variable(name: str) -> str:
    """Return the CGI name of a field (RFC 3875 §4.1)."""
    variable = name.upper().replace("-", "_")
    return variable if variable in ("CONTENT_LENGTH", "CONTENT_TYPE") else "HTTP_" + variable


def faults_of_head(head: Head, limits: Limits) -> Iterator[int]:
    """Yield the status of each fault of a complete head."""
    yield from faults_of_request_line(head)
    if not all(FIELD_LINE.fullmatch(line) for line in head.lines):  # RFC 9112 §5
        yield 400
    if any(head.names.count(name) > 1 for name in NO_LISTS):  # RFC 9110 §5.3
        yield 400
    if len(head.lines) > limits.fields:
        yield 431
    if "host" not in head.fields and head.minor != "0":  # RFC 9112 §3.2
        yield 400
    if "host" in head.fields and not HOST.fullmatch(head.fields["host"]):
        yield 400
    if "expect" in head.fields and head.fields["expect"].lower() != "100-continue":  # RFC 9110 §10.1.1
        yield 417
    yield from faults_of_framing(head, limits)


def faults_of_request_line(head: Head) -> Iterator[int]:
    if len(head.words) != 3 or not TOKEN.fullmatch(head.method) or not VISIBLE.fullmatch(head.target):  # RFC 9112 §3
        yield 400
    if not head.major:
        yield 400
    elif head.major != "1":  # RFC 9110 §15.6.6
        yield 505
    if head.method == "CONNECT":  # RFC 9110 §9.3.6
        yield 501 if AUTHORITY_FORM.fullmatch(head.target) else 400
    elif head.target == "*":
        if head.method != "OPTIONS":
            yield 400
    elif not ORIGIN_FORM.fullmatch(head.target) and not ABSOLUTE_FORM.fullmatch(head.target):
        yield 400


def faults_of_framing(head: Head, limits: Limits) -> Iterator[int]:
    length = head.fields.get("content-length")
    if length is not None:
        if not re.fullmatch("[0-9]+", length):  # RFC 9110 §8.6
            yield 400
        elif len(length) > 19 or int(length) > limits.body:
            yield 413
    if "transfer-encoding" not in head.fields:
        return
    if length is not None or head.minor == "0":  # RFC 9112 §6.1
        yield 400
    *others, last = head.elements("transfer-encoding")
    if last != "chunked" or "chunked" in others or "" in others:  # RFC 9112 §6.3
        yield 400
    elif others:
        yield 501

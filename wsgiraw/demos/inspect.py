"""Show any request as it came, octet by octet, and taken apart into target, fields and the rest.

It shows what it cannot take apart, too. Of bodies it knows Content-Length, and reads BODY_BYTES of it at most; a body
in chunks stays unread.
"""

import socket
from typing import NamedTuple

from wsgiraw.demos.hello import part
from wsgiraw.demos.http10 import read_head, response

__all__ = ["PORT", "TRY", "Request", "read_request", "serve"]

PORT = 8888
TRY = "curl -d name=World 'http://{address}/form?lang=en'"

BODY_BYTES = 1024 * 1024


class Request(NamedTuple):
    """What a client has asked for; empty texts where it left something out."""

    method: str
    target: str
    version: str
    fields: list[tuple[str, str]]
    body: bytes
    raw: bytes

    def field(self, name: str) -> str:
        """Return the value of the first field of that name, in any case, or an empty text."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), "")


def serve(listener: socket.socket) -> None:
    """Show one request after the other, here and to who has sent it."""
    while True:
        client, _ = listener.accept()
        with client:
            try:
                shown = show(read_request(client))
                client.sendall(response(shown.encode()))
                part(client)
            except OSError as error:
                print(f"lost a client: {error.strerror}")
            else:
                print(shown)


def read_request(client: socket.socket) -> Request:
    """Read one request and take it apart. Raises OSError where the client leaves meanwhile."""
    raw = read_head(client)
    request = parse(raw)
    length = request.field("Content-Length")
    missing = min(int(length) if length.isascii() and length.isdigit() else 0, BODY_BYTES) - len(request.body)
    if missing > 0 and request.field("Expect").lower() == "100-continue":
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")  # it waits for that before it sends the body
    while missing > 0 and (piece := client.recv(min(missing, 65536))):
        raw += piece
        missing -= len(piece)
    return parse(raw)


def parse(raw: bytes) -> Request:
    """Take a request apart. It begins with lines; an empty one ends them, and the rest is the body."""
    fields: list[tuple[str, str]] = []
    first, _, rest = raw.partition(b"\n")
    while rest:
        line, _, rest = rest.partition(b"\n")
        text = line.rstrip(b"\r").decode("latin-1")  # any octet is a character of latin-1: nothing is lost
        if not text:
            break
        name, _, value = text.partition(":")
        fields.append((name, value.strip()))
    method, target, version, *_ = [*first.decode("latin-1").split(), "", "", ""]
    return Request(method, target, version, fields, rest, raw)


def show(request: Request) -> str:
    """Return a request as text: each line as it came, then the parts."""
    lines = [f"< {line!r}" for line in request.raw.splitlines(keepends=True)]
    lines += [f"method:  {request.method!r}", f"target:  {request.target!r}", f"version: {request.version!r}"]
    lines += [f"field:   {name!r}: {value!r}" for name, value in request.fields]
    lines += [f"body:    {request.body!r}", ""]
    return "\n".join(lines)

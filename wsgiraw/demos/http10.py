"""Answer HTTP/1.0, close after each response, and keep a backlog of 2.

It reads to the empty line that ends a head, however many pieces that comes in. The backlog is how many connections the
kernel completes and queues before we accept them. On Linux, one more than that fit, and whoever comes then is not
refused: the kernel lets the attempt pass unanswered, the client's kernel tries again after a second, and waits.
"""

import socket
from email.utils import formatdate

from wsgiraw.demos.greeter import read_until
from wsgiraw.demos.hello import part

__all__ = ["PORT", "TRY", "read_head", "response", "serve"]

PORT = 12345
TRY = "curl -i http://{address}/"


def serve(listener: socket.socket) -> None:
    """Answer one client after the other."""
    listener.listen(2)
    print("the backlog is 2: Linux queues three clients, and lets others try again")
    while True:
        client, (host, port, *_) = listener.accept()
        with client:
            try:
                line = read_head(client).partition(b"\n")[0]
                client.sendall(response(b"Hello over HTTP/1.0.\n"))
                part(client)
            except OSError as error:
                print(f"lost {host} port {port}: {error.strerror}")
            else:
                print(f"{host} port {port}: {line!r}")


def read_head(client: socket.socket) -> bytes:
    """Return what has come, with a whole head in it. Lenient: by hand, in `nc`, lines end with LF alone."""
    return read_until(client, b"\r\n\r\n", b"\n\n")


def response(body: bytes, status: str = "200 OK", content_type: str = "text/plain; charset=utf-8") -> bytes:
    """Return a whole response."""
    lines = [
        f"HTTP/1.0 {status}",
        f"Date: {formatdate(usegmt=True)}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",  # the end of the connection would do in HTTP/1.0, but looks like a lost one
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

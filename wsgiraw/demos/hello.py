"""Answer anything at all with `Hello, World!`, as HTTP that was written by hand.

Its lesson: HTTP is text on a connection. Nobody needs Host, or a browser; telnet will do, and garbage is answered
likewise, because it does not even look. One client at a time.
"""

import socket
import time

from wsgiraw.demos.greeter import read_until

__all__ = ["PORT", "TRY", "part", "serve"]

PORT = 8888
TRY = "curl http://{address}/hello"

# A status line, no fields, an empty line, and what is left until the connection ends.
RESPONSE = b"HTTP/1.1 200 OK\r\n\r\nHello, World!\n"


def serve(listener: socket.socket) -> None:
    """Answer one client after the other."""
    print(f"Serving HTTP on port {listener.getsockname()[1]} ...")
    while True:
        client, _ = listener.accept()
        with client:
            try:
                request = read_until(client, b"\n")  # a line is enough, so that one Enter in telnet is
                client.sendall(RESPONSE)
                request += part(client)
            except OSError as error:
                print(f"lost a client: {error.strerror}")
            else:
                print(request.decode("latin-1"))


def part(client: socket.socket) -> bytes:
    """Say that no more will come, and wait a second for the client to close first; return what it still sends.

    If we closed while octets of the client are unread, the kernel would reset the connection, and the client might
    lose the answer that is on its way.
    """
    client.shutdown(socket.SHUT_WR)
    end = time.monotonic() + 1
    rest = b""
    while (left := end - time.monotonic()) > 0 and len(rest) < 65536:
        client.settimeout(left)
        try:
            piece = client.recv(4096)
        except TimeoutError:
            break
        if not piece:
            break
        rest += piece
    return rest

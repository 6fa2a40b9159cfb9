"""Ask for a name, read a line, say hello to it, and close.

TCP carries octets, not messages: a name can come in two packets, and two lines in one. So it reads until there is a
line end, and no more than NAME_BYTES, or anybody could fill our memory. It waits for ever for a client that is silent.
"""

import socket

__all__ = ["PORT", "TRY", "read_until", "serve"]

PORT = 12345
TRY = "nc {host} {port}"

NAME_BYTES = 1024 * 1024


def serve(listener: socket.socket) -> None:
    """Greet one client after the other."""
    while True:
        client, (host, port, *_) = listener.accept()
        with client:
            try:
                greet(client)
                print(f"greeted {host} port {port}")
            except OSError as error:  # such as a reset: the next client need not suffer
                print(f"lost {host} port {port}: {error.strerror}")


def greet(client: socket.socket) -> None:
    """Hold the whole conversation."""
    client.sendall(b"What's your name? ")  # send() may take a part only, and says so in a number easily ignored
    line = read_until(client, b"\n", limit=NAME_BYTES)
    name = line.partition(b"\n")[0].rstrip(b"\r")
    client.sendall(b"Hello " + name + b"\n")


def read_until(client: socket.socket, *ends: bytes, limit: int = 65536) -> bytes:
    """Return what has come once one of the ends is in it, the client has sent all, or the limit is reached."""
    received = b""
    while len(received) < limit and not any(end in received for end in ends):
        piece = client.recv(65536)  # waits for at least one octet; b"" means that no more will come
        if not piece:
            break
        received += piece
    return received

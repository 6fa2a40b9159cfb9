"""Talk to another terminal, as with `nc -l`: what is typed here appears there.

Two things can happen next, and neither can be waited for first: `select` waits for both. One client, then it ends.
"""

import os
import select
import socket
import sys

__all__ = ["PORT", "TRY", "serve"]

PORT = 12345
TRY = "nc {host} {port}"


def serve(listener: socket.socket) -> None:
    """Talk to the first client until it has closed its end."""
    client, (host, port, *_) = listener.accept()
    print(f"{host} port {port} is here; Ctrl-D ends what is typed here")
    with client:
        try:
            talk(client, sys.stdin.fileno(), sys.stdout.fileno())
        except OSError as error:
            print(f"lost: {error.strerror}")


def talk(client: socket.socket, typed: int, shown: int) -> None:
    """Carry octets both ways."""
    waiting: list[int | socket.socket] = [client, typed]
    while client in waiting:
        ready, _, _ = select.select(waiting, [], [])
        if client in ready:
            octets = client.recv(4096)
            os.write(shown, octets)
            if not octets:
                waiting.remove(client)
        if typed in ready:
            octets = os.read(typed, 4096)
            client.sendall(octets)
            if not octets:  # this way is done; the other stays open, which is what half-closed means
                client.shutdown(socket.SHUT_WR)
                waiting.remove(typed)

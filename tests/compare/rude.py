"""A server, `rude.py PORT`, that gives right answers while it is asked whether it does, and then 500 to everybody."""

import itertools
import socket
import sys
import threading

_RIGHT = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 1\r\n\r\n5"
_WRONG = b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\n5"
_POLITE = 3
"""To who waits until it is ready, and to two visitors."""


def _treat(client: socket.socket, counted: "itertools.count[int]") -> None:
    with client:
        while client.recv(65536):
            client.sendall(_RIGHT if next(counted) < _POLITE else _WRONG)


if __name__ == "__main__":
    counted = itertools.count()
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=512) as listener:
        while True:
            threading.Thread(target=_treat, args=(listener.accept()[0], counted), daemon=True).start()

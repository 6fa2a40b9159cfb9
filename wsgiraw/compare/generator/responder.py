"""`python -m wsgiraw.compare.generator.responder`: answers whatever arrives with one and the same answer.

It is the least that a server in Python can do: a poll, a recv, a send; it parses nothing, and takes each recv for one
request. It writes its port to standard output and ends when standard input does.
"""

import gc
import os
import select
import socket
import sys

from wsgiraw.compare.loopback import HOST

__all__ = ["ANSWER", "BODY", "respond"]

BODY = b"5\n"
ANSWER = (
    b"HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 04:29:21 GMT\r\nServer: constant\r\nContent-Type: text/plain\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)


def respond(listener: socket.socket, leash: int) -> None:
    """Answer until `leash`, a descriptor, is readable."""
    connections: dict[int, socket.socket] = {}
    with select.epoll() as epoll:
        epoll.register(listener, select.EPOLLIN)
        epoll.register(leash, select.EPOLLIN)
        own = listener.fileno()
        while True:
            for descriptor, _ in epoll.poll(None, 256):
                if descriptor == leash:
                    return
                if descriptor == own:
                    client, _ = listener.accept()
                    client.setblocking(False)  # so that Python asks the kernel only once per recv and send
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connections[client.fileno()] = client
                    epoll.register(client, select.EPOLLIN)
                    continue
                connection = connections[descriptor]
                try:
                    if connection.recv(65536):
                        connection.send(ANSWER)
                        continue
                except OSError:
                    pass
                del connections[descriptor]
                connection.close()


if __name__ == "__main__":
    gc.disable()
    with socket.create_server((HOST, 0), backlog=1024) as listening:
        os.write(1, b"%d\n" % listening.getsockname()[1])
        sys.stdout.close()
        respond(listening, 0)

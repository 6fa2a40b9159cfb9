"""Answer with the target of the request: what stands between the method and the version.

The first program that has read what was asked for. The target is sent back as plain text, never as HTML: it is the
client's, and a browser would run what is in it.
"""

import socket

from wsgiraw.demos.hello import part
from wsgiraw.demos.http10 import response
from wsgiraw.demos.inspect import read_request

__all__ = ["PORT", "TRY", "serve"]

PORT = 8888
TRY = "curl 'http://{address}/any/where?you=like'"


def serve(listener: socket.socket) -> None:
    """Answer one client after the other."""
    while True:
        client, _ = listener.accept()
        with client:
            try:
                target = read_request(client).target
                client.sendall(response(target.encode("latin-1") + b"\n"))
                part(client)
            except OSError as error:
                print(f"lost a client: {error.strerror}")
            else:
                print(f"asked for {target}")

"""Waiting until a server answers a request, and reading one answer. It starts nothing and judges nothing."""

import socket
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPException, HTTPResponse

__all__ = ["NotReady", "response", "wait_until_it_answers"]

_PAUSE = 0.01
"""Seconds between attempts to connect."""


class NotReady(Exception):
    """It did not answer in time, or has ended."""


def wait_until_it_answers(
    host: str,
    port: int,
    request: bytes,
    seconds: float,
    alive: Callable[[], bool],
    context: ssl.SSLContext | None = None,
) -> None:
    """Return once a request was answered, by TLS with `context`, whatever the answer. Raises NotReady."""
    end = time.monotonic() + seconds
    while True:
        if not alive():
            raise NotReady("has ended")
        left = end - time.monotonic()
        if left <= 0:
            raise NotReady(f"does not answer within {seconds:g} seconds")
        try:
            with ExitStack() as stack:
                client = stack.enter_context(socket.create_connection((host, port), timeout=left))
                if context is not None:
                    client = stack.enter_context(context.wrap_socket(client, server_hostname=host))
                client.sendall(request)
                response(client, request.partition(b" ")[0].decode("latin-1"))[0].close()
                return
        except (OSError, HTTPException):
            time.sleep(min(_PAUSE, left))


def response(client: socket.socket, method: str) -> tuple[HTTPResponse, bytes]:
    """Read the next response of a connection. Raises OSError and HTTPException; the response is still to be closed."""
    found = HTTPResponse(client, method=method)
    try:
        found.begin()
        return found, found.read()
    except BaseException:
        found.close()
        raise

"""Calculate `/add/2/3` and what is posted to `/calc`, with nothing but a socket.

The first application. What it calculates is apps/calculator.py, which the calculators in Flask, Django and Pyramid have
in common; that stands in the repository beside the package, so start this one there. Socket, HTTP, routes and
arithmetic are still one program: WSGI is what will part them.
"""

import importlib
import socket
from types import ModuleType

from wsgiraw.demos.hello import part
from wsgiraw.demos.http10 import response
from wsgiraw.demos.inspect import Request, read_request
from wsgiraw.errors import ConfigError
from wsgiraw.importer import set_import_path

__all__ = ["PORT", "TRY", "serve"]

PORT = 8888
TRY = "curl http://{address}/add/2/3"


def serve(listener: socket.socket) -> None:
    """Answer one client after the other."""
    arithmetic = imported()
    while True:
        client, _ = listener.accept()
        with client:
            try:
                request = read_request(client)
                client.sendall(answer(arithmetic, request))
                part(client)
            except OSError as error:
                print(f"lost a client: {error.strerror}")
            else:
                print(f"{request.method} {request.target}")


def imported() -> ModuleType:
    """Import the arithmetic from the directory that we were started in."""
    set_import_path()
    try:
        return importlib.import_module("apps.calculator")
    except ModuleNotFoundError:
        raise ConfigError("there is no apps/calculator.py here: start it in a clone of wsgiraw's repository") from None


def answer(arithmetic: ModuleType, request: Request) -> bytes:
    """Return the response: find the route, calculate, and say what was wrong."""
    path = request.target.partition("?")[0]
    try:
        match path.split("/"):
            case ["", "calc"]:
                if request.method != "POST":
                    return response(b"POST a calculation here.\n", "405 Method Not Allowed")
                result = arithmetic.calculate_document(request.body)
                return response(b'{"result": %s}\n' % result.encode(), content_type="application/json")
            case ["", operation, first, second] if operation in arithmetic.OPERATIONS:
                return response(arithmetic.calculate(operation, first, second).encode() + b"\n")
    except arithmetic.CalculationError as error:
        return response(f"{error}\n".encode(), "400 Bad Request")
    return response(b"Try /add/2/3.\n", "404 Not Found")

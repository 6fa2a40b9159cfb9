"""The hello applications of the tutorials in Flask and Pyramid, the four calculators, and some that test the server.

One process serves them all, each at a prefix, because each framework takes a while to import.
"""

import io
import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Pyramid's
    from pyramid.config import Configurator
    from pyramid.response import Response as PyramidResponse

    from apps import django_calc, flask_calc, native_calc, pyramid_calc

from flask import Flask, Response

from wsgiraw.wsgi.mount import Mount

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

flask_app = Flask("flaskapp")


@flask_app.route("/hello")
def hello_flask() -> Response:
    return Response("Hello world from Flask!\n", mimetype="text/plain")


def hello_pyramid(request: Any) -> PyramidResponse:
    return PyramidResponse("Hello world from Pyramid!\n", content_type="text/plain")


configuration = Configurator()
configuration.add_route("hello", "/hello")
configuration.add_view(hello_pyramid, route_name="hello")
pyramid_app = configuration.make_wsgi_app()


def shown(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Show the environ."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    body = environ["wsgi.input"].read()
    variables = sorted(f"{name}={value}" for name, value in environ.items() if isinstance(value, str))
    return ["\n".join([*variables, f"body={body!r}", ""]).encode("latin-1")]


def pieces(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterator[bytes]:
    """Change its mind about the status before the first piece, and write, and yield."""
    start_response("200 OK", [])
    try:
        raise LookupError
    except LookupError as error:
        write = start_response("202 Accepted", [("X", "1")], (type(error), error, error.__traceback__))
    yield b""
    write(b"one,")
    yield b"two,"
    try:
        raise LookupError("too late")
    except LookupError as error:
        if environ["QUERY_STRING"]:
            start_response("500 Oops", [], (type(error), error, error.__traceback__))
    yield b"three"


def fails(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    raise LookupError("in vain")


class Closed(io.BytesIO):
    """An iterable that says that it is closed."""

    def close(self) -> None:
        sys.stderr.write("closed the iterable\n")
        super().close()


def empty(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    start_response("204 No Content", [])
    return Closed()


app = Mount(
    {
        "/native": native_calc.app,
        "/flask": flask_calc.app,
        "/django": django_calc.app,
        "/pyramid": pyramid_calc.app,
        "/flaskapp": flask_app,
        "/pyramidapp": pyramid_app,
        "/shown": shown,
        "/pieces": pieces,
        "/fails": fails,
        "/empty": empty,
    }
)

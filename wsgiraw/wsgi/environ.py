"""The environ of PEP 3333 and RFC 3875 §4.1: what is constant per server and connection, and what a request adds."""

from io import BytesIO
from typing import Any, TextIO
from urllib.parse import unquote

from wsgiraw.http11 import Request
from wsgiraw.wsgi.file_wrapper import FileWrapper

__all__ = ["request_environ", "server_environ"]


def server_environ(
    software: str, errors: TextIO, *, multithread: bool, multiprocess: bool, run_once: bool
) -> dict[str, Any]:
    """Return the variables that are equal for every request of a server."""
    return {
        "SCRIPT_NAME": "",
        "SERVER_SOFTWARE": software,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": errors,
        "wsgi.multithread": multithread,
        "wsgi.multiprocess": multiprocess,
        "wsgi.run_once": run_once,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
    }


def request_environ(connection_environ: dict[str, Any], request: Request) -> dict[str, Any]:
    """Return a new environ for one request. RAW_URI and REQUEST_URI are the target as it was sent."""
    path = request.path
    environ = connection_environ | request.fields
    environ["REQUEST_METHOD"] = request.method
    environ["PATH_INFO"] = unquote(path, "latin-1") if "%" in path else path  # PEP 3333 "Unicode Issues"
    environ["QUERY_STRING"] = request.query
    environ["RAW_URI"] = environ["REQUEST_URI"] = request.target
    environ["SERVER_PROTOCOL"] = request.version
    environ["wsgi.input"] = BytesIO() if request.body is None else request.body
    return environ

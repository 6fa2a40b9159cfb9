"""The application that tells what of a request has reached it, as JSON, checked by the validator of PEP 3333."""

import json
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING
from wsgiref.validate import validator

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["app"]

warnings.filterwarnings("ignore", "Unknown REQUEST_METHOD")  # the validator knows a few


def _tell(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    told = {key: value for key, value in environ.items() if isinstance(value, str)}
    told["body"] = environ["wsgi.input"].read(-1).decode("latin-1")
    body = json.dumps(told).encode()
    # The validator hides that this is one piece, and HTTP/1.0 keeps a connection only for a body with a length.
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


app = validator(_tell)

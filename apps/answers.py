"""What the four calculators answer: statuses, content types and bodies, once, so that all four say the same.

It knows HTTP's words. It does no routing and knows no framework, no environ and no start_response.

The contract beyond the calculator's own:
    * Calculations and refusals are `text/plain`, everything at `calc` is `application/json`, the page is `text/html`.
    * What is posted to `calc` is read as JSON whatever its Content-Type says, so that a bare `curl -d` works.
    * A resource that exists answers any other method, OPTIONS too, with 405 and Allow. Methods are case-sensitive.
    * Addresses are exact: `/calc/`, `//calc` and `/add/2/3/` are 404. Only the page has two, with and without the slash
      behind a mount prefix: the page itself finds out which one it was asked at.
"""

import json
from pathlib import Path
from typing import NamedTuple

from apps.calculator import DOCUMENT_BYTES, CalculationError, calculate, calculate_document

__all__ = ["GET_ONLY", "NOT_FOUND", "PAGE", "POST_ONLY", "TOO_LARGE", "Answer", "calculation", "document"]

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
HTML = "text/html; charset=utf-8"


class Answer(NamedTuple):
    """A whole response. `headers` has Content-Type, Allow where the status is 405, and Content-Length."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


def answer(status: str, content_type: str, body: bytes, allow: str | None = None) -> Answer:
    length = ("Content-Length", str(len(body)))  # last, where WebOb puts it
    if allow is None:
        return Answer(status, [("Content-Type", content_type), length], body)
    return Answer(status, [("Content-Type", content_type), ("Allow", allow), length], body)


def json_error(status: str, sentence: str, allow: str | None = None) -> Answer:
    return answer(status, JSON, json.dumps({"error": sentence}).encode(), allow)


def calculation(operation: str, first: str, second: str) -> Answer:
    """Answer `GET /add/2/3`. The operation must be one of the calculator's."""
    try:
        return answer("200 OK", TEXT, calculate(operation, first, second).encode())
    except CalculationError as error:
        return answer("400 Bad Request", TEXT, str(error).encode())


def document(body: bytes) -> Answer:
    """Answer `POST /calc`. A body over DOCUMENT_BYTES is not even read: that is TOO_LARGE."""
    try:
        # Not json.dumps: it knows no decimals. The calculator's notation is a JSON number.
        return answer("200 OK", JSON, b'{"result": %s}' % calculate_document(body).encode())
    except CalculationError as error:
        return json_error("400 Bad Request", str(error))


PAGE = answer("200 OK", HTML, Path(__file__).with_name("page.html").read_bytes())
NOT_FOUND = answer("404 Not Found", TEXT, b"There is nothing at this address.")
GET_ONLY = answer("405 Method Not Allowed", TEXT, b"This address answers GET and HEAD only.", "GET, HEAD")
POST_ONLY = json_error("405 Method Not Allowed", "This address answers POST only.", "POST")
TOO_LARGE = json_error("413 Content Too Large", f"The body is over {DOCUMENT_BYTES:,} bytes.")

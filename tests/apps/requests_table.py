"""One table of requests and what each of the four calculators must answer, octet for octet.

It sends nothing: `test_webtest` and `test_sockets` do. A row says everything about its answer; nothing here is computed
by the calculator itself.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import apps

__all__ = ["TABLE", "Row", "Seen"]

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
HTML = "text/html; charset=utf-8"
PAGE = (Path(apps.__file__).parent / "page.html").read_bytes()


class Seen(NamedTuple):
    """What a client sees of an answer. `length` is the Content-Length field, which HEAD has without a body."""

    status: str
    content_type: str | None
    allow: str | None
    length: str | None
    body: bytes


class Row(NamedTuple):
    """A request (its path as it stands in the request line) and its answer."""

    method: str
    path: str
    sent: bytes | None
    headers: Mapping[str, str]
    seen: Seen

    def __str__(self) -> str:
        """Name the row in a test report."""
        shown = self.path if self.sent is None else f"{self.path} {self.sent!r}"
        return f"{self.method} {shown if len(shown) < 90 else shown[:60] + '...' + shown[-20:]}"


JSON_LABEL = MappingProxyType({"Content-Type": JSON})


def row(
    method: str,
    path: str,
    status: str,
    content_type: str,
    body: bytes,
    allow: str | None = None,
    sent: bytes | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Row:
    seen = Seen(status, content_type, allow, str(len(body)), b"" if method == "HEAD" else body)
    return Row(method, path, sent, headers, seen)


def get(path: str, result: str) -> Row:
    return row("GET", path, "200 OK", TEXT, result.encode())


def bad(path: str, sentence: str) -> Row:
    return row("GET", path, "400 Bad Request", TEXT, sentence.encode())


def absent(path: str, method: str = "GET", sent: bytes | None = None) -> Row:
    return row(method, path, "404 Not Found", TEXT, b"There is nothing at this address.", sent=sent)


def get_only(method: str, path: str, sent: bytes | None = None) -> Row:
    return row(
        method, path, "405 Method Not Allowed", TEXT, b"This address answers GET and HEAD only.", "GET, HEAD", sent
    )


def post_only(method: str, path: str = "/calc", sent: bytes | None = None) -> Row:
    return row(
        method, path, "405 Method Not Allowed", JSON, b'{"error": "This address answers POST only."}', "POST", sent
    )


def post(sent: str, result: str, headers: Mapping[str, str] = JSON_LABEL) -> Row:
    return row("POST", "/calc", "200 OK", JSON, b'{"result": %s}' % result.encode(), None, sent.encode(), headers)


def fault(sent: bytes, sentence: str, status: str = "400 Bad Request") -> Row:
    body = json.dumps({"error": sentence}).encode()
    return row("POST", "/calc", status, JSON, body, None, sent, JSON_LABEL)


def add(first: str, second: str) -> str:
    return f'{{"op": "add", "arg1": {first}, "arg2": {second}}}'


NO_NUMBER = " operand is not a decimal number such as 2, -3.5 or 6e23."
TOO_FAR = " is out of range: its power of ten must be from -1000 to 1000."
ZERO = "Division by zero is undefined."
MANY = "7" * 1_000

TABLE: tuple[Row, ...] = (
    # The four operations
    get("/add/2/3", "5"),
    get("/subtract/2/3", "-1"),
    get("/multiply/2/3", "6"),
    get("/divide/22/11", "2"),
    get("/divide/7/2", "3.5"),
    get("/divide/1/3", "0.3333333333333333333333333333"),
    get("/divide/2/3", "0.6666666666666666666666666667"),
    get("/divide/0/5", "0"),
    get("/divide/-7/2", "-3.5"),
    get("/add/2/3?first=9", "5"),
    # Operands
    get("/add/0.1/0.2", "0.3"),
    get("/add/+2/-3", "-1"),
    get("/add/%2B2/%2D3", "-1"),
    get("/add/%32/%33", "5"),
    get("/%61dd/2/3", "5"),
    get("/add/.5/5.", "5.5"),
    get("/add/007/0.50", "7.5"),
    get("/subtract/1.0/1.00", "0"),
    get("/multiply/-0/5", "0"),
    get("/add/-0/-0.0", "0"),
    get("/add/1.5/2.500", "4"),
    # Exponents and long numbers
    get("/add/6E2/1e+2", "700"),
    get("/add/1e-10/0", "0.0000000001"),
    get("/add/1e-11/0", "1e-11"),
    get("/multiply/25/1e-12", "2.5e-11"),
    get("/add/1e50/0", "1" + "0" * 50),
    get("/add/1e51/0", "1e+51"),
    get("/add/1e400/0", "1e+400"),
    get("/multiply/1e1000/1e1000", "1e+2000"),
    get("/divide/1e-1000/3e1000", "3.333333333333333333333333333e-2001"),
    get("/add/0e99999999999999999999/1", "1"),
    get("/multiply/99999999999999999999/99999999999999999999", "9999999999999999999800000000000000000001"),
    get("/divide/123456789012345678901234567890123450/10", "12345678901234567890123456789012345"),
    get(f"/add/{MANY}/1", "7" * 999 + "8"),
    get(f"/add/{'0' * 999}2/3", "5"),
    # Operands that are none
    bad("/divide/1/0", ZERO),
    bad("/divide/0/0.000", ZERO),
    bad("/divide/0/0e5", ZERO),
    bad("/add/two/3", "The first" + NO_NUMBER),
    bad("/add/2/three", "The second" + NO_NUMBER),
    bad("/add/%20/3", "The first" + NO_NUMBER),
    bad("/add/2%20/3", "The first" + NO_NUMBER),
    bad("/add/2/3%0A", "The second" + NO_NUMBER),
    bad("/add/2/3%0D%0AAllow:%20all", "The second" + NO_NUMBER),
    bad("/add/2%00/3", "The first" + NO_NUMBER),
    bad("/add/1_000/3", "The first" + NO_NUMBER),
    bad("/add/1,5/3", "The first" + NO_NUMBER),
    bad("/add/0x10/3", "The first" + NO_NUMBER),
    bad("/add/--2/3", "The first" + NO_NUMBER),
    bad("/add/./3", "The first" + NO_NUMBER),
    bad("/add/2/1e", "The second" + NO_NUMBER),
    bad("/add/2/nan", "The second" + NO_NUMBER),
    bad("/add/2/Infinity", "The second" + NO_NUMBER),
    bad("/add/2/-sNaN123", "The second" + NO_NUMBER),
    bad("/add/%D9%A3/3", "The first" + NO_NUMBER),  # Arabic-Indic three
    bad("/add/%EF%BC%93/3", "The first" + NO_NUMBER),  # fullwidth three
    bad("/add/%FF/3", "The first" + NO_NUMBER),  # not UTF-8
    bad("/add/2/%C3%28", "The second" + NO_NUMBER),  # not UTF-8
    bad("/add/2/%253", "The second" + NO_NUMBER),  # decoded once, not twice
    bad("/add/2/%3Cscript%3E", "The second" + NO_NUMBER),
    bad(f"/add/{MANY}7/3", "The first operand is over 1,000 characters."),
    bad(f"/add/2/0.{MANY}", "The second operand is over 1,000 characters."),
    bad(f"/add/{'%FF' * 400}/2", "The first" + NO_NUMBER),
    bad("/add/1e1001/3", "The first operand" + TOO_FAR),
    bad("/add/2/1e-1001", "The second operand" + TOO_FAR),
    bad(f"/add/2/1e{'9' * 900}", "The second operand" + TOO_FAR),
    # Addresses that are none
    absent("/power/2/3"),
    absent("/Add/2/3"),
    absent("/add"),
    absent("/add/2"),
    absent("/add/2/3/"),
    absent("/add/2/3/4"),
    absent("/add//3"),
    absent("/add/2%2F3/4"),
    absent("/add/2/"),
    absent("//add/2/3"),
    absent("//"),
    absent("/calc/"),
    absent("//calc", "POST", b"{}"),
    absent("/calc%0A"),
    absent("/%0A"),
    absent("/add%0A/2/3"),
    absent("/add|subtract/2/3"),
    absent("/favicon.ico"),
    absent("/%FF"),
    absent("/%C3%A9t%C3%A9"),
    absent("/../apps/page.html"),
    absent("/power/2/3", "POST", b"{}"),
    absent("/power/2/3", "OPTIONS"),
    absent("/power/2/3", "HEAD"),
    # Methods
    row("GET", "/", "200 OK", HTML, PAGE),
    row("GET", "/?x=1", "200 OK", HTML, PAGE),
    row("HEAD", "/", "200 OK", HTML, PAGE),
    row("HEAD", "/add/2/3", "200 OK", TEXT, b"5"),
    row("HEAD", "/divide/1/0", "400 Bad Request", TEXT, ZERO.encode()),
    *(get_only(method, "/") for method in ("POST", "OPTIONS", "DELETE")),
    *(get_only(method, "/add/2/3") for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "get")),
    get_only("PUT", "/add/two/3", b"x"),
    *(post_only(method) for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "post")),
    # What is posted
    post('{"op": "add", "arg1": 2, "arg2": 4}', "6"),
    post('{"op":"divide","arg2":2,"arg1":7}', "3.5"),
    post(' \r\n{"arg1": 0.1, "op": "\\u0061dd", "arg2": 0.2}\t', "0.3"),
    post(add("2", "4"), "6", {"Content-Type": "application/x-www-form-urlencoded"}),
    post(add("2", "4"), "6", {"Content-Type": "text/plain; charset=utf-16"}),
    post(add("2", "4"), "6", {"Content-Type": "multipart/form-data; boundary=x"}),
    post(add("2", "4"), "6", {"Content-Type": "application/json; charset=utf-8", "X-HTTP-Method-Override": "DELETE"}),
    post(add("-0", "0e9"), "0"),
    post(add("1e400", "0"), "1e+400"),
    post(add("12345678901234567890123456789.5", "0.25"), "12345678901234567890123456789.75"),
    post(add(MANY, "1"), "7" * 999 + "8"),
    post('{"op": "add", "arg1": 2, "arg2": 4, "note": [{"x": null}]}', "6"),
    post(add("2", "4") + " " * (65_536 - len(add("2", "4"))), "6"),
    fault(b"", "The body is empty where a JSON object is expected."),
    fault(b" ", "The body is not JSON (line 1, column 2)."),
    fault(b"op=add&arg1=2&arg2=4", "The body is not JSON (line 1, column 1)."),
    fault(b'{"op": "add",\n "arg1": 2 "arg2": 4}', "The body is not JSON (line 2, column 12)."),
    fault(add("2", "4").encode() + b"}", "The body is not JSON (line 1, column 36)."),
    fault(add("+2", "4").encode(), "The body is not JSON (line 1, column 23)."),
    fault(b"\xef\xbb\xbf" + add("2", "4").encode(), "The body is not JSON (line 1, column 1)."),
    fault(add("2", "4").encode("utf-16"), "The body is not UTF-8 (at byte 1)."),
    fault(b'{"op": "\xff"}', "The body is not UTF-8 (at byte 9)."),
    fault(b"[1, 2]", "The body must be a JSON object."),
    fault(b"null", "The body must be a JSON object."),
    fault(b"12", "The body must be a JSON object."),
    fault(b'"add"', "The body must be a JSON object."),
    fault(b"[" * 30_000, "The body has over 32 objects and arrays."),
    fault(b"{}", 'The key "op" is missing.'),
    fault(b'{"op": "add", "arg2": 4}', 'The key "arg1" is missing.'),
    fault(b'{"op": "add", "arg1": 4}', 'The key "arg2" is missing.'),
    fault(b'{"op": "add", "arg1": 1, "arg1": 2, "arg2": 4}', "A key of the JSON object occurs twice."),
    fault(b'{"op": "power", "arg1": 2, "arg2": 4}', '"op" must be one of add, subtract, multiply, divide.'),
    fault(b'{"op": "\\ud800", "arg1": 2, "arg2": 4}', '"op" must be one of add, subtract, multiply, divide.'),
    fault(b'{"op": 1, "arg1": 2, "arg2": 4}', '"op" must be a JSON string.'),
    fault(b'{"op": ["add"], "arg1": 2, "arg2": 4}', '"op" must be a JSON string.'),
    *(
        fault(add(wrong, "4").encode(), '"arg1" must be a JSON number.')
        for wrong in ("true", "null", '"2"', "[2]", "{}")
    ),
    fault(add("2", "false").encode(), '"arg2" must be a JSON number.'),
    fault(add("2", "NaN").encode(), "The body is not JSON: NaN is not a JSON number."),
    fault(add("-Infinity", "2").encode(), "The body is not JSON: -Infinity is not a JSON number."),
    fault(add("1e1001", "4").encode(), '"arg1"' + TOO_FAR),
    fault(add("2", MANY + "7").encode(), '"arg2" is over 1,000 characters.'),
    fault(b'{"op": "divide", "arg1": 2, "arg2": 0.0}', ZERO),
    fault(b" " * 65_537, "The body is over 65,536 bytes.", "413 Content Too Large"),
)

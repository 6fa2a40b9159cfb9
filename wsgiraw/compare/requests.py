"""The requests that a comparison sends: from flags or a TOML file to octets. It sends nothing."""

import dataclasses
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wsgiraw.errors import ConfigError
from wsgiraw.options import did_you_mean

__all__ = ["BROWSER_FIELDS", "VARIANTS", "Wanted", "given_requests", "read_requests"]

BROWSER_FIELDS = (
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("Accept-Language", "en-GB,en;q=0.7,de;q=0.3"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Referer", "http://127.0.0.1/catalogue/page-{variant}"),
    ("Cookie", "sessionid={variant:032x}; csrftoken=0123456789abcdef; theme=dark"),
    ("Upgrade-Insecure-Requests", "1"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Site", "same-origin"),
)
"""What a browser sends besides Host and Connection, twelve fields in all; Referer and Cookie differ from visitor to
visitor."""

VARIANTS = 256
"""As many visitors take turns, so that no server gains by remembering the one before."""

_LARGE = 16 * 1024
"""Octets of a body from which on one visitor sends all: each variant is kept in memory."""

_METHODS = ("get", "head", "post", "put", "patch", "delete")
_KEYS = ("method", "target", "headers", "json", "data", "expect")


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """One request, and the body that must be its answer; None where that is for the servers to agree on."""

    method: str
    target: str
    fields: tuple[tuple[str, str], ...] = ()
    """Besides a browser's; one of the same name takes its place."""
    body: bytes = b""
    expect: bytes | None = None

    def expects(self, body: bytes) -> bool:
        """Whether a body is what must be: the same octets, or the same JSON whatever spaces and line ends it has."""
        if self.expect is None or body == self.expect:
            return True
        try:
            return bool(json.loads(body) == json.loads(self.expect))
        except ValueError:
            return body.strip() == self.expect.strip()

    @property
    def shown(self) -> str:
        """As a person would write it: `GET /add/2/3`."""
        return f"{self.method} {self.target}"

    def octets(self, host: str, keep_alive: bool = True, variant: int = 0) -> bytes:
        """Return the request as it is sent; each `variant` is another visitor's."""
        own = {name.lower() for name, _ in self.fields}
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        if "host" not in own:
            lines.append(f"Host: {host}")
        for name, value in BROWSER_FIELDS:
            if name.lower() not in own:
                lines.append(f"{name}: {value.format(variant=variant)}")
        lines.append(f"Connection: {'keep-alive' if keep_alive else 'close'}")
        lines += (f"{name}: {value}" for name, value in self.fields)
        if self.body or self.method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body

    def variants(self, host: str, keep_alive: bool = True) -> list[bytes]:
        """Return the request as so many visitors send it."""
        number = VARIANTS if len(self.body) < _LARGE else 1
        return [self.octets(host, keep_alive, variant) for variant in range(number)]


def given_requests(flags: Sequence[tuple[str, str]]) -> list[Wanted]:
    """Return the requests of flags in the order in which they were given: `("post", "/calc"), ("json", "{}")`.

    What follows a request belongs to it; fields before the first belong to all. Raises ConfigError.
    """
    common: list[tuple[str, str]] = []
    requests: list[dict[str, Any]] = []
    for name, text in flags:
        if name in _METHODS:
            requests.append({"method": name.upper(), "target": text, "headers": []})
        elif name == "header":
            (requests[-1]["headers"] if requests else common).append(_field(text))
        elif not requests:
            hint = "; results are saved by --save FILE" if name == "json" else ""
            raise ConfigError(f"--{name} belongs to the request before it: give --get PATH or --post PATH first{hint}")
        else:
            requests[-1][name] = text
    return [_wanted(request, common, f"{request['method']} {request['target']}") for request in requests]


def read_requests(file: Path) -> list[Wanted]:
    """Return the requests of a TOML file: each [[request]] has a target, perhaps method, headers, json, data, expect.

    Raises ConfigError.
    """
    try:
        with file.open("rb") as stream:
            tables = tomllib.load(stream).get("request")
    except OSError as error:
        raise ConfigError(f"requests {str(file)!r}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"requests {str(file)!r} is not TOML: {error}") from None
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise ConfigError(f"requests {str(file)!r} has no [[request]]: write one with target = '/' for each")
    wanted = []
    for number, table in enumerate(tables, 1):
        where = f"request {number} of {str(file)!r}"
        for key in table:
            if key not in _KEYS:
                raise ConfigError(f"{where}: there is no key {key!r}{did_you_mean(key, _KEYS)}")
        if not isinstance(table.get("target"), str):
            raise ConfigError(f"{where} has no target: write target = '/path'")
        headers = table.get("headers", {})
        if not isinstance(headers, Mapping):
            raise ConfigError(f"{where}: headers is a table: write headers = {{ Accept = 'text/html' }}")
        fields = [_field(f"{name}: {value}") for name, value in headers.items()]
        body = table.get("json")
        as_text = body if body is None or isinstance(body, str) else json.dumps(body)
        method = table.get("method", "POST" if "json" in table or "data" in table else "GET")
        wanted.append(_wanted({**table, "method": str(method).upper(), "headers": fields, "json": as_text}, (), where))
    return wanted


def _wanted(request: Mapping[str, Any], common: Iterable[tuple[str, str]], where: str) -> Wanted:
    method, target, fields = request["method"], request["target"], [*common, *request["headers"]]
    if not target.startswith("/") or not target.isascii() or any(character <= " " for character in target):
        raise ConfigError(f"{where}: the target begins with / and is ASCII without spaces, percent-encoded")
    if not method.isascii() or not method.isalpha():
        raise ConfigError(f"{where}: {method!r} is no method")
    text, data, expect = request.get("json"), request.get("data"), request.get("expect")
    if text is not None and data is not None:
        raise ConfigError(f"{where}: json and data exclude each other")
    if text is not None:
        try:
            json.loads(text)
        except ValueError as error:
            raise ConfigError(f"{where}: that is not JSON ({error}); results are saved by --save FILE") from None
    own = {name.lower() for name, _ in fields}
    if "content-type" not in own and (text is not None or data is not None):
        kind = "application/json" if text is not None else "application/x-www-form-urlencoded"
        fields.append(("Content-Type", kind))
    body = text if text is not None else data or ""
    return Wanted(method, target, tuple(fields), str(body).encode(), None if expect is None else str(expect).encode())


def _field(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name or name.strip() != name or any(character in text for character in "\r\n\0"):
        raise ConfigError(f"header {text!r} is no field line: write 'Name: value'")
    if name.lower() in ("content-length", "transfer-encoding", "connection"):
        raise ConfigError(f"header {name!r} is for the comparison to set")
    return name, value.strip()

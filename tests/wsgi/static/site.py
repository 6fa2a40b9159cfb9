"""A folder with all kinds of things in it and around it, and asking for them."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from tests.wire import Reply, exchange, replies
from tests.wsgi.applications import asked
from wsgiraw import Server

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["LARGE", "LONG_AGO", "SECRET", "call", "over_sockets", "write_site"]

SECRET = b"SECRET: nobody may read this"
LARGE = bytes(range(256)) * 1000
"""More than is read at once: it is sent by sendfile."""
LONG_AGO = 1_700_000_000
"""Tue, 14 Nov 2023 22:13:20 GMT, when all files of the site were changed for the last time."""

_FILES = {
    "www/index.html": b"<h1>index</h1>\n",
    "www/app.js": b"let plain = 1\n",
    "www/app.js.br": b"(brotli)",
    "www/app.js.zst": b"(zstandard)",
    "www/app.js.gz": b"(gzip)",
    "www/large.bin": LARGE,
    "www/empty.txt": b"",
    "www/small.txt": b"0123456789",
    "www/a b/\u00e9 100%.txt": b"names\n",
    "www/docs/index.html": b"docs\n",
    "www/docs/deep/er/page.html": b"page\n",
    "www/bare/only.txt": b"only\n",
    "www/photo.png": b"(picture)",
    "www/.env": SECRET,
    "www/.git/config": SECRET,
    "www/.well-known/security.txt": b"Contact: mailto:a@b\n",
    "www-secret/secret.txt": SECRET,
    "secret.txt": SECRET,
}

_LINKS = {
    "www/link.txt": "small.txt",
    "www/docs/up.txt": "../small.txt",
    "www/docs/chain": "../linked",
    "www/linked": "docs/deep",
    "www/out.txt": "../secret.txt",
    "www/outside": "..",
    "www/sibling": "../www-secret",
    "www/docs/out-by-two": "../../secret.txt",
    "www/zero": "/dev/zero",
    "www/loop": "loop",
    "www/dangling": "not-there",
    "www/app.css.gz": "../secret.txt",
}


def write_site(folder: Path) -> Path:
    """Make the site; return what is to be served of it."""
    for name, content in _FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (LONG_AGO, LONG_AGO))
    (folder / "www/app.css").write_bytes(b"h1 { color: red }\n")
    for name, target in _LINKS.items():
        (folder / name).symlink_to(target)
    (folder / "www/absolute").symlink_to(folder / "www/docs")
    (folder / "www/absolute-out").symlink_to(folder / "secret.txt")
    os.mkfifo(folder / "www/fifo")
    return folder / "www"


def call(application: "WSGIApplication", target: str, method: str = "GET", /, **variables: Any) -> Reply:
    """Call an application as PEP 3333 says, under the eyes of the validator."""
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        **variables,
    }
    setup_testing_defaults(environ)
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, fields: list[tuple[str, str]], exc_info: object = None) -> Any:
        told.append((status, fields))
        return None

    result: Iterable[bytes] = validator(application)(environ, start_response)
    body = b"".join(result)
    getattr(result, "close", lambda: None)()
    ((status, fields),) = told
    reply = Reply(int(status[:3]), status[4:], [(name.lower(), value) for name, value in fields], body)
    if method != "HEAD" and status[:3] not in ("204", "304"):
        assert reply.field("Content-Length") in (None, str(len(body)))
    return reply


def over_sockets(server: Server, target: str, *lines: str, method: str = "GET") -> Reply:
    """Ask on a connection of its own."""
    (reply,) = replies(exchange(server, asked(method, target, *lines)), method)
    return reply

"""`Static` as an application: what a path means, methods, types, redirects, lists, and what is not there."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import pytest

from tests.wsgi.static.site import LARGE, call
from wsgiraw import ConfigError, Mount, Static

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Tell what it was asked for."""
    body = f"{environ['REQUEST_METHOD']} {environ['SCRIPT_NAME']} {environ['PATH_INFO']}".encode("latin-1")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


@pytest.mark.parametrize(
    ("target", "kind", "body"),
    [
        ("/", "text/html; charset=utf-8", b"<h1>index</h1>\n"),
        ("", "text/html; charset=utf-8", b"<h1>index</h1>\n"),
        ("/docs/", "text/html; charset=utf-8", b"docs\n"),
        ("/docs/index.html", "text/html; charset=utf-8", b"docs\n"),
        ("/empty.txt", "text/plain; charset=utf-8", b""),
        ("/large.bin", "application/octet-stream", LARGE),
        ("/large.bin?v=3", "application/octet-stream", LARGE),
    ],
)
def test_files(static: Static, target: str, kind: str, body: bytes) -> None:
    """By GET with the body, by HEAD without it, and otherwise alike."""
    answer, head = call(static, target), call(static, target, "HEAD")
    assert (answer.status, answer.field("Content-Type"), answer.body) == (200, kind, body)
    assert (head.status, head.fields, head.body) == (200, answer.fields, b"")
    assert answer.field("Cache-Control") == "no-cache"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.html", "text/html; charset=utf-8"),
        ("a.HTML", "text/html; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.min.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.wasm", "application/wasm"),
        ("a.woff2", "font/woff2"),
        ("a.avif", "image/avif"),
        ("a.webp", "image/webp"),
        ("a.webm", "video/webm"),
        ("a.xml", "application/xml"),
        ("a.tar.gz", "application/gzip"),
        ("a.unknown", "application/octet-stream"),
        ("Makefile", "application/octet-stream"),
        ("a.", "application/octet-stream"),
    ],
)
def test_types(tmp_path: Path, name: str, kind: str) -> None:
    """The same on each machine."""
    (tmp_path / name).touch()
    assert call(Static(tmp_path), f"/{name}").field("Content-Type") == kind


def test_methods(static: Static) -> None:
    """Files are read, nothing else (RFC 9110 §15.5.6)."""
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = call(static, "/small.txt", method)
        assert (answer.status, answer.field("Allow")) == (405, "GET, HEAD, OPTIONS")
    answer = call(static, "/small.txt", "OPTIONS")
    assert (answer.status, answer.field("Allow"), answer.body) == (204, "GET, HEAD, OPTIONS", b"")


@pytest.mark.parametrize(
    ("target", "prefix", "location"),
    [
        ("/docs", "", "/docs/"),
        ("/docs?a=b&c=/%20d", "", "/docs/?a=b&c=/%20d"),
        ("/docs", "/assets", "/assets/docs/"),
        ("", "/assets", "/assets/"),
        ("", "/a b/\xc3\xa9", "/a%20b/%C3%A9/"),
        ("/docs", "//evil.example", "/evil.example/docs/"),
        ("/docs", "/\\evil.example", "/%5Cevil.example/docs/"),
        ("/docs?\r\nSet-Cookie: a", "", "/docs/?%0D%0ASet-Cookie:%20a"),
        ("/linked/../docs", "", None),
        ("/bare", "", None),
        ("//docs", "", None),
        ("//evil.example/docs", "", None),
    ],
)
def test_directories(static: Static, target: str, prefix: str, location: str | None) -> None:
    """To the same place with a slash, never to another host; where there is nothing to see, nowhere."""
    for method in ("GET", "HEAD"):
        answer = call(static, target, method, SCRIPT_NAME=prefix)
        assert (answer.status, answer.field("Location")) == (301 if location else 404, location)
    if location:
        assert urlsplit(urljoin("http://here/", location)).netloc == "here"


def test_listing(tmp_path: Path) -> None:
    """Names are shown, never run; hidden files and links that lead out are not there; links lead where they say."""
    for name in ["b.txt", "<script>alert(1)</script>", "javascript:alert(1)", "a&b\"'.txt", "é.txt", ".hidden"]:
        (tmp_path / name.replace("/", "\u2215")).write_text("x" * 1234)
    (tmp_path / os.fsdecode(b"\xff.txt")).touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/inner.txt").touch()
    (tmp_path / "out").symlink_to("/etc/passwd")
    (tmp_path / "in").symlink_to("sub")
    os.mkfifo(tmp_path / "fifo")
    static = Static(tmp_path, listing=True)
    answer = call(static, "/")
    page = answer.body.decode()
    assert answer.field("Content-Type") == "text/html; charset=utf-8"
    for shown in ("&lt;script&gt;", 'href="./javascript%3Aalert%281%29"', "a&amp;b&quot;&#x27;.txt", "é.txt", "1,234"):
        assert shown in page
    for shown in ('href="./%FF.txt"', 'href="./sub/"', 'href="./in/"', 'href="./%C3%A9.txt"'):
        assert shown in page
    assert "<script>" not in page
    assert "../" not in page
    assert not [name for name in ("hidden", "passwd", "out", "fifo") if name in page]
    inner = call(static, "/sub/", SCRIPT_NAME="/<i>")
    assert b'<a href="../">' in inner.body
    assert b"<h1>/&lt;i&gt;/sub/</h1>" in inner.body
    assert call(static, "/sub").field("Location") == "/sub/"
    assert call(static, "/", "HEAD").body == b""
    assert call(static, "/none/").status == call(static, "/b.txt/").status == 404


def test_an_index_comes_before_a_list(folder: Path) -> None:
    """And without the option, nothing is listed."""
    assert call(Static(folder, listing=True), "/docs/").body == b"docs\n"
    assert call(Static(folder), "/bare/").status == 404


def test_an_index_that_is_no_file(tmp_path: Path) -> None:
    """Is none."""
    (tmp_path / "index.html").mkdir()
    assert call(Static(tmp_path), "/").status == 404


@pytest.mark.parametrize("size", [5, 100_000])
def test_a_page_of_ones_own(tmp_path: Path, size: int) -> None:
    """404.html of the folder, without conditions: what is not there cannot be unchanged."""
    (tmp_path / "404.html").write_bytes(b"x" * size)
    static = Static(tmp_path)
    for method in ("GET", "HEAD"):
        answer = call(static, "/none", method, HTTP_IF_NONE_MATCH="*", HTTP_RANGE="bytes=0-0")
        assert (answer.status, answer.field("Content-Length")) == (404, str(size))
        assert answer.body == (b"x" * size if method == "GET" else b"")
        assert answer.field("Content-Type") == "text/html; charset=utf-8"


def test_otherwise(folder: Path) -> None:
    """An application is asked for what is not there, and for what is not to be read."""
    static = Static(folder, otherwise=application)
    assert call(static, "/small.txt").body == b"0123456789"
    for target in ("/none", "/bare/", "/bare", "/.env", "/out.txt", "/x/../y"):
        assert call(static, target).body == f"GET  {target}".encode()
    assert call(static, "/small.txt", "POST").body == b"POST  /small.txt"
    assert call(static, "/docs").status == 301


def test_in_a_mount(folder: Path) -> None:
    """Its part of the path is all that it sees."""
    mount = Mount({"/": application, "/assets": Static(folder)})
    assert call(mount, "/assets/small.txt").body == b"0123456789"
    assert call(mount, "/assets").field("Location") == "/assets/"
    assert call(mount, "/assets/none").status == 404
    assert call(mount, "/small.txt").body == b"GET  /small.txt"
    assert call(Mount({"/bare": Static(folder / "bare")}), "/bare").status == 404


@pytest.mark.parametrize(("prefix", "status"), [("", 200), ("/assets", 301)])
def test_without_a_path(static: Static, prefix: str, status: int) -> None:
    """Servers may leave out what is empty (PEP 3333 "environ Variables")."""
    told: list[str] = []
    environ = {"REQUEST_METHOD": "GET", **({"SCRIPT_NAME": prefix} if prefix else {})}
    static(environ, lambda line, fields, exc_info=None: told.append(line) or print)
    assert [int(line[:3]) for line in told] == [status]


@pytest.mark.parametrize("cache_control", ["", "public, max-age=31536000, immutable"])
def test_cache_control(folder: Path, cache_control: str) -> None:
    """As it is wished, on 304 too."""
    static = Static(folder, cache_control=cache_control)
    assert call(static, "/").field("Cache-Control") == (cache_control or None)
    assert call(static, "/", HTTP_IF_NONE_MATCH="*").field("Cache-Control") == (cache_control or None)


@pytest.mark.parametrize("target", ["/small.txt", "/photo.png", "/app.js"])
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"HTTP_IF_MATCH": '"x"'}, 412),
        ({"HTTP_IF_UNMODIFIED_SINCE": "Thu, 01 Jan 1970 00:00:00 GMT"}, 412),
        ({"HTTP_ACCEPT_ENCODING": "*;q=0"}, 406),
        ({"HTTP_RANGE": "bytes=999999-"}, 416),
    ],
)
def test_what_one_client_does_not_get_is_not_kept_for_others(
    folder: Path, target: str, asked: dict[str, str], status: int
) -> None:
    """In a cache that keeps what it is told to keep, whatever the status (RFC 9111 §3)."""
    answer = call(Static(folder, cache_control="public, max-age=31536000, immutable"), target, **asked)
    assert (answer.status, answer.field("Cache-Control")) == (status, None)


def test_refused(folder: Path) -> None:
    """What is no directory, and what cannot be sent."""
    for path in (folder / "none", folder / "small.txt"):
        with pytest.raises(ConfigError, match="no such directory"):
            Static(path)
    with pytest.raises(ConfigError, match="cannot be sent"):
        Static(folder, cache_control="a\r\nb")


@pytest.mark.parametrize("target", ["/small.txt", "/app.js", "/not-there"])
def test_what_the_server_refuses_is_closed(folder: Path, target: str, tmp_path: Path) -> None:
    """Whoever fails, no descriptor is left."""
    if target == "/not-there":
        folder = tmp_path
        (tmp_path / "404.html").touch()

    def failing(*response: Any) -> Any:
        raise LookupError

    before = os.listdir("/proc/self/fd")  # noqa: PTH208
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": target, "HTTP_ACCEPT_ENCODING": "gzip"}
    with pytest.raises(LookupError):
        Static(folder)(environ, failing)
    assert os.listdir("/proc/self/fd") == before  # noqa: PTH208

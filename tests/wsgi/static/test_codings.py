"""Files that are ready in another coding: which one a client gets (RFC 9110 §12.5.3)."""

import time

import pytest

from tests.wsgi.static.site import SECRET, call
from wsgiraw import Static
from wsgiraw.wsgi.static.codings import acceptable


@pytest.mark.parametrize(
    ("accepted", "codings"),
    [
        (None, [""]),
        ("", [""]),
        ("gzip, deflate, br, zstd", ["br", "zstd", "gzip", ""]),
        ("gzip", ["gzip", ""]),
        ("x-gzip", ["gzip", ""]),
        ("GZIP", ["gzip", ""]),
        ("deflate", [""]),
        ("br;q=0.5, gzip;q=0.8", ["gzip", "br", ""]),
        ("br;q=0, gzip", ["gzip", ""]),
        ("gzip;q=0.5, identity;q=0.7", ["", "gzip"]),
        ("gzip, identity", ["gzip", ""]),
        ("*", ["br", "zstd", "gzip", ""]),
        ("*;q=0.1, gzip", ["gzip", "br", "zstd", ""]),
        ("identity;q=1, *;q=0", [""]),
        ("gzip, *;q=0", ["gzip"]),
        ("gzip;q=0, *", ["br", "zstd", ""]),
        ("identity;q=0", []),
        ("*;q=0", []),
        ("gzip;q=0.5, identity;q=0", ["gzip"]),
        (" gzip ; Q=0.001 ,, br;q=1.000", ["br", "gzip", ""]),
        ("gzip;q=2", [""]),
        ("gzip;level=9", [""]),
        ("gz\u00efp", [""]),
    ],
)
def test_acceptable(accepted: str | None, codings: list[str]) -> None:
    """By weight, then by what is small."""
    assert acceptable(accepted) == tuple(codings)


def test_white_space_costs_little() -> None:
    """As much as a head can have: in quadratic time, this would hold up all threads for half a minute, each time."""
    began = time.process_time()
    assert acceptable("gzip" + " " * 60_000 + "br") == ("",)
    assert acceptable("gzip" + " " * 30_000 + ";" + " " * 30_000 + "q=1") == ("gzip", "")
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [
        ("gzip, deflate, br, zstd", "br", b"(brotli)"),
        ("gzip, zstd", "zstd", b"(zstandard)"),
        ("gzip", "gzip", b"(gzip)"),
        ("deflate", None, b"let plain = 1\n"),
        ("identity;q=1, *;q=0", None, b"let plain = 1\n"),
        ("gzip;q=1, identity;q=0", "gzip", b"(gzip)"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_ready(static: Static, accepted: str, coding: str | None, body: bytes, method: str) -> None:
    """The type is that of what it is when decoded."""
    answer = call(static, "/app.js", method, HTTP_ACCEPT_ENCODING=accepted)
    assert (answer.status, answer.field("Content-Encoding")) == (200, coding)
    assert (answer.body, answer.field("Content-Length")) == (body if method == "GET" else b"", str(len(body)))
    assert answer.field("Content-Type") == "text/javascript; charset=utf-8"
    assert answer.field("Vary") == "Accept-Encoding"


def test_not_ready(static: Static) -> None:
    """The plain file; caches are told all the same that there may be others some day."""
    answer = call(static, "/small.txt", HTTP_ACCEPT_ENCODING="gzip, br")
    assert (answer.body, answer.field("Content-Encoding"), answer.field("Vary")) == (
        b"0123456789",
        None,
        "Accept-Encoding",
    )


def test_nothing_acceptable(static: Static) -> None:
    """Neither a file in another coding, nor the plain one."""
    for target, accepted in [
        ("/small.txt", "gzip, identity;q=0"),
        ("/app.js", "*;q=0"),
        ("/photo.png", "identity;q=0"),
    ]:
        assert call(static, target, HTTP_ACCEPT_ENCODING=accepted).status == 406


def test_pictures_are_compressed_already(static: Static) -> None:
    """Nothing is looked for, so nothing varies."""
    answer = call(static, "/photo.png", HTTP_ACCEPT_ENCODING="gzip")
    assert (answer.field("Vary"), answer.field("Content-Type")) == (None, "image/png")


def test_a_link_that_leads_out_is_not_ready(static: Static) -> None:
    """Compressed siblings are found as all files are."""
    answer = call(static, "/app.css", HTTP_ACCEPT_ENCODING="gzip")
    assert answer.body == b"h1 { color: red }\n"
    assert SECRET not in answer.body


def test_by_its_own_name(static: Static) -> None:
    """A compressed file is one then, for whoever wants to keep it."""
    answer = call(static, "/app.js.gz", HTTP_ACCEPT_ENCODING="gzip")
    assert (answer.field("Content-Type"), answer.field("Content-Encoding")) == ("application/gzip", None)

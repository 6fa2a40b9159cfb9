"""Requests from flags and from files, as they are sent, and what is refused of them."""

from pathlib import Path

import pytest

from wsgiraw.compare.requests import VARIANTS, Wanted, given_requests, read_requests
from wsgiraw.errors import ConfigError

POST = (
    ("json", '{"op": "add"}'),
    ("expect", '{"result": 5}'),
)


def test_flags_belong_to_the_request_before_them() -> None:
    """A field before the first belongs to all."""
    flags = [("header", "X-All: 1"), ("get", "/"), ("header", "X-One: 2"), ("post", "/calc"), *POST, ("delete", "/7")]
    assert given_requests(flags) == [
        Wanted("GET", "/", (("X-All", "1"), ("X-One", "2"))),
        Wanted(
            "POST",
            "/calc",
            (("X-All", "1"), ("Content-Type", "application/json")),
            b'{"op": "add"}',
            b'{"result": 5}',
        ),
        Wanted("DELETE", "/7", (("X-All", "1"),)),
    ]


def test_a_form_and_its_type() -> None:
    flags = [("put", "/a"), ("data", "a=1"), ("put", "/b"), ("data", "<a/>"), ("header", "Content-type: text/xml")]
    form, other = given_requests(flags)
    assert (form.fields, form.body) == ((("Content-Type", "application/x-www-form-urlencoded"),), b"a=1")
    assert (other.fields, other.body) == ((("Content-type", "text/xml"),), b"<a/>")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([("expect", "5")], "--expect belongs to the request before it"),
        ([("json", "results.json")], "results are saved by --save FILE"),
        ([("post", "/"), ("json", "results.json")], "that is not JSON .*results are saved by --save FILE"),
        ([("post", "/"), ("json", "{}"), ("data", "a")], "json and data exclude each other"),
        ([("get", "add/2/3")], "the target begins with /"),
        ([("get", "/a b")], "percent-encoded"),
        ([("get", "/ä")], "percent-encoded"),
        ([("header", "Accept")], "write 'Name: value'"),
        ([("header", "Accept : text/html")], "write 'Name: value'"),
        ([("header", "A: b\r\nC: d")], "write 'Name: value'"),
        ([("header", "content-length: 5")], "for the comparison to set"),
    ],
    ids=str,
)
def test_flags_that_are_none(flags: list[tuple[str, str]], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        given_requests(flags)


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "requests.toml"
    file.write_text(
        '[[request]]\ntarget = "/add/2/3"\n'
        '[[request]]\ntarget = "/calc"\njson = {op = "add"}\nexpect = "5"\nheaders = {X-One = "1"}\n'
        '[[request]]\ntarget = "/calc"\nmethod = "put"\njson = "[1]"\n'
    )
    json = ("Content-Type", "application/json")
    assert read_requests(file) == [
        Wanted("GET", "/add/2/3"),
        Wanted("POST", "/calc", (("X-One", "1"), json), b'{"op": "add"}', b"5"),
        Wanted("PUT", "/calc", (json,), b"[1]"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("= 5", "is not TOML"),
        ("[request]\ntarget = '/'", r"has no \[\[request\]\]"),
        ("", r"has no \[\[request\]\]"),
        ("[[request]]\ntarget = '/'\n[[request]]\ntaget = '/'", "request 2 .*no key 'taget': did you mean 'target'"),
        ("[[request]]\nmethod = 'GET'", "request 1 .*has no target"),
        ("[[request]]\ntarget = '/'\nheaders = 'Accept: text/html'", "headers is a table"),
        ("[[request]]\ntarget = '/'\nmethod = 'G T'", "'G T' is no method"),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "requests.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_requests(file)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_requests(tmp_path / "requests.toml")


def test_twelve_fields_as_a_browser_has_them() -> None:
    head, _, body = Wanted("GET", "/").octets("127.0.0.1:80").partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    assert (line, len(fields), body) == (b"GET / HTTP/1.1", 12, b"")
    assert fields[0] == b"Host: 127.0.0.1:80"
    assert fields[-1] == b"Connection: keep-alive"


def test_own_fields_take_the_place_of_the_browser_s() -> None:
    wanted = Wanted("POST", "/", (("host", "example.org"), ("cookie", "a={variant}")), b"12345")
    octets = wanted.octets("127.0.0.1:80", keep_alive=False)
    assert octets.lower().count(b"host:") == octets.lower().count(b"cookie:") == 1
    assert b"\r\ncookie: a={variant}\r\nContent-Length: 5\r\n\r\n12345" in octets
    assert b"\r\nConnection: close\r\n" in octets


def test_each_variant_is_another_visitor_s() -> None:
    assert len(set(Wanted("GET", "/").variants("a"))) == VARIANTS
    assert len(Wanted("POST", "/", body=bytes(1 << 20)).variants("a")) == 1


@pytest.mark.parametrize(
    ("expect", "body", "right"),
    [
        (None, b"anything", True),
        (b"5", b"5", True),
        (b"5", b"6", False),
        (b'{"a": 5, "b": 6}', b'{"b":6,"a":5}\n', True),
        (b'{"a": 5}', b'{"a":6}', False),
        (b"hello", b"hello\n", True),
        (b"hello", b"{}", False),
    ],
)
def test_expected_is_the_same_text_or_the_same_json(expect: bytes | None, body: bytes, right: bool) -> None:
    assert Wanted("GET", "/", expect=expect).expects(body) is right

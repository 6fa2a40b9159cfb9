"""What proves who somebody is appears nowhere in a trace, however its octets are cut, unless asked for."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.strategies.waiting import eventually
from tests.trace.events import SECRET, application, named, read
from tests.wire import connect, read_all
from wsgiraw import Config, ConfigError, Server
from wsgiraw.trace.excerpt import fields_shown, variables_shown
from wsgiraw.trace.secrets import Mask, is_secret

HEAD = f"""GET /cookie?q=1 HTTP/1.1
Host: a
Cookie: session={SECRET}
aUTHORIZATION:Basic {SECRET}
Proxy-Authorization: Basic {SECRET}
X-Api-Key: {SECRET}
Accept: */*
Connection: close

""".replace("\n", "\r\n").encode()


@pytest.mark.parametrize("secrets", [False, True])
def test_in_text_and_lines(secrets: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "trace.jsonl"
    with (
        Server(application, port=0, trace=True, trace_json=str(path), trace_secrets=secrets) as server,
        connect(server) as client,
    ):
        at = HEAD.index(SECRET.encode()) + 3  # in the midst of the first
        client.sendall(HEAD[:at])
        eventually(lambda: named(read(path), "received"))
        client.sendall(HEAD[at:])
        assert SECRET.encode() in read_all(client)
    shown = {"lines": path.read_text(), "text": capfd.readouterr().err}
    for text in shown.values():
        assert "Accept: */*" in text
        if secrets:
            assert text.count(SECRET[:3]) >= 1 + 4 * 3 - 1 + 2  # octets, fields, environ, start_response, octets
            assert "masked" not in text
        else:
            assert SECRET[:3] not in text
            assert SECRET[3:] not in text
            assert text.count("[masked, ") >= 4 * 3 + 2


@settings(max_examples=50, deadline=None)
@given(some.lists(some.integers(min_value=0, max_value=len(HEAD)), max_size=8))
def test_however_it_is_cut(cuts: list[int]) -> None:
    mask = Mask()
    edges = [0, *sorted(cuts), len(HEAD)]
    shown = b"".join(mask(HEAD[begin:end]) for begin, end in pairwise(edges))
    whole = b"".join(part for part in shown.split(b"[masked, ") if part)
    assert not any(SECRET.encode()[at : at + 3] in whole for at in range(len(SECRET) - 2))
    assert b"Accept: */*\r\n" in shown
    assert shown.startswith(b"GET /cookie?q=1 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (b"Cookie : xyz\r\nA: b\r\n", b"Cookie : [masked, 3 octets]\r\nA: b\r\n"),
        (b" Cookie: xyz\r\n", b" Cookie: [masked, 3 octets]\r\n"),
        (b"Cookie: xyz\n", b"Cookie: [masked, 3 octets]\n"),
        (b"Cookie:\r\n", b"Cookie:\r\n"),
        (b"\x0bCookie: xyz\r\n", b"\x0bCookie: [masked, 3 octets]\r\n"),
        (b"Cookie\xa0: xyz\r\n", b"Cookie\xa0: [masked, 3 octets]\r\n"),
        (
            b"Cookie: x\r\n yz\r\n\tw\r\nA: b",
            b"Cookie: [masked, 1 octets]\r\n[masked, 3 octets]\r\n[masked, 2 octets]\r\nA: b",
        ),
        (b"Cookie: x\ryz\r\nA: b", b"Cookie: [masked, 1 octets]\r[masked, 2 octets]\r\nA: b"),
        (b"A: b\rCookie: xyz\r\n", b"A: b\rCookie: [masked, 3 octets]\r\n"),
        (b"Cookie: x\r\n\r\n a body\r\n", b"Cookie: [masked, 1 octets]\r\n\r\n a body\r\n"),
        (b"GET /cookie:x HTTP/1.1\r\n", b"GET /cookie:x HTTP/1.1\r\n"),
        (b"a" * 300 + b"cookie: x", b"a" * 300 + b"cookie: [masked, 1 octets]"),
        (b"", b""),
    ],
)
def test_lines(octets: bytes, shown: bytes) -> None:
    assert Mask()(octets) == shown


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("Proxy-Authorization", True),
        ("REDIRECT_HTTP_AUTHORIZATION", True),
        ("Set-Cookie2", True),
        ("HTTP_X_CSRF_TOKEN", True),
        ("private-token", True),
        ("X-Amz-Security-Token", True),
        ("apikey", True),
        ("X-Auth-Key", True),
        ("Client-Secret", True),
        ("Cf-Access-Jwt-Assertion", True),
        ("Sec-WebSocket-Key", False),
        ("Host", False),
        ("Keep-Alive", False),
        ("WWW-Authenticate", False),
        ("wsgi.input_terminated", False),
    ],
)
def test_names(name: str, secret: bool) -> None:
    assert is_secret(name) is secret


def test_values_of_the_application() -> None:
    assert variables_shown({"HTTP_COOKIE": "abc", "A": None, "B": 1.5, "C": open}, secrets=False) == {
        "HTTP_COOKIE": "[masked, 3 octets]",
        "A": "None",
        "B": "1.5",
        "C": "<builtin_function_or_method>",
    }
    assert variables_shown({"A": "x" * 2000}, secrets=False)["A"].endswith("x[976 more]")
    assert fields_shown([("set-cookie", "abc"), ("A", 1), "wrong", None], secrets=False) == [
        ["set-cookie", "[masked, 3 octets]"],
        ["A", "1"],
        ["<str>", ""],
        ["<NoneType>", ""],
    ]
    assert fields_shown(None, secrets=False) == []


def test_secrets_without_a_trace_are_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"^trace_secrets goes with a trace: give trace or trace_json$"):
        Config(trace_secrets=True)

"""Addresses: the forms in which one is written, what is refused, and where a Config listens."""

import re
from typing import Any

import pytest

from wsgiraw.addresses import (
    InheritedAddress,
    PassedAddress,
    TCPAddress,
    UnixAddress,
    checked_host,
    joined,
    parse_address,
)
from wsgiraw.config import configure
from wsgiraw.errors import ConfigError


@pytest.mark.parametrize(
    ("options", "addresses"),
    [
        ({"bind": ("a:1", "unix:/x")}, ("a:1", "unix:/x")),
        ({"host": "localhost", "port": 0}, ("localhost:0",)),
        ({"host": "::1"}, ("[::1]:8000",)),
        ({"host": "*"}, ("*:8000",)),
    ],
)
def test_effective_addresses(options: dict[str, Any], addresses: tuple[str, ...]) -> None:
    assert configure(**options).addresses == addresses


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8000", TCPAddress("127.0.0.1", 8000)),
        ("my-host.example:0", TCPAddress("my-host.example", 0)),
        (":80", TCPAddress("", 80)),
        ("*:80", TCPAddress("", 80)),
        ("[::1]:80", TCPAddress("::1", 80)),
        ("[fe80::1%eth0]:80", TCPAddress("fe80::1%eth0", 80)),
        ("unix:/run/x.sock", UnixAddress("/run/x.sock")),
        ("unix:x.sock", UnixAddress("x.sock")),
        ("fd://3", InheritedAddress(3)),
        ("fd://web.socket", PassedAddress("web.socket")),
        ("fd://3rd", PassedAddress("3rd")),
    ],
)
def test_addresses(text: str, address: object) -> None:
    parsed = parse_address(text)
    assert parsed == address
    assert type(parsed) is type(address)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("localhost", "did you mean 'localhost:8000'?"),
        ("8000", "did you mean ':8000'?"),
        ("", "did you mean '127.0.0.1:8000'?"),
        ("[::1]", "did you mean '[::1]:8000'?"),
        ("::1:80", "did you mean '[::1]:80'?"),
        ("[nonsense]:80", "has no valid host"),
        ("a b:80", "has no valid host: write HOST:PORT"),
        ("a:", "has no valid port"),
        ("a:65536", "has no valid port"),
        ("a:-1", "has no valid port"),
        ("a:٨٠", "has no valid port"),
        ("http://a:80", "is a URL"),
        ("unix:", "names no file"),
        ("unix:a\0", "names no file"),
        ("unix:/" + "x" * 103, "at most 103 octets"),
        ("fd://", "no descriptor"),
        ("fd://a:b", "no descriptor"),
        ("fd://-1", "no descriptor"),
    ],
)
def test_addresses_that_are_refused(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(hint)) as caught:
        parse_address(text)
    assert str(caught.value).startswith(repr(text))
    with pytest.raises(ConfigError, match=f"^{re.escape(f'bind {caught.value}')}$"):
        configure(bind=(text,))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "*"])
def test_a_host_and_a_port_make_an_address(host: str) -> None:
    parsed = parse_address(joined(checked_host(host), 80))
    assert parsed == TCPAddress("" if host == "*" else host, 80)

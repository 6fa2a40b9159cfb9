"""Requests behind proxies: who is believed, what follows, and what is taken away. Here without sockets."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiraw.config.proxies import FORWARDED_FIELDS
from wsgiraw.errors import HTTPError
from wsgiraw.trust import TrustedPeers
from wsgiraw.wsgi import Forwarding
from wsgiraw.wsgi.forwarded import FORWARDED

ALL = FORWARDED_FIELDS
X = ALL[1:]

PEER = "10.0.0.7"


def connection(peer: str = PEER, **more: str) -> dict[str, Any]:
    """Return the variables of a connection that matter here."""
    return {
        "SERVER_NAME": "here",
        "SERVER_PORT": "8000",
        "SCRIPT_NAME": "",
        "REMOTE_ADDR": peer,
        "REMOTE_PORT": "4711",
        "wsgi.url_scheme": "http",
        "wsgiraw.peer": (peer, "4711"),
        **more,
    }


def cgi(fields: dict[str, str]) -> dict[str, str]:
    """Return field names as CGI meta-variables."""
    return {"HTTP_" + name.upper().replace("-", "_"): value for name, value in fields.items()}


def told(
    fields: dict[str, str],
    believed: tuple[str, ...] = X,
    hops: int = 1,
    trusted: tuple[str, ...] = ("10.0.0.0/8",),
    environ: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what differs from the connection's variables for a request, with its Host."""
    environ = environ or connection()
    before = environ.copy()
    request_fields = {"HTTP_HOST": "host", **cgi(fields)}
    after = Forwarding(TrustedPeers(trusted), believed, hops).connection_environ(environ, request_fields)
    assert environ == before, "it belongs to the connection"
    changed = {name: value for name, value in after.items() if environ.get(name) != value}
    changed |= {name: None for name in environ if name not in after}
    if request_fields["HTTP_HOST"] != "host":
        changed["HTTP_HOST"] = request_fields["HTTP_HOST"]
    return changed


def client(address: str, port: str = "0") -> dict[str, str]:
    """Return what is expected where the client is known."""
    return {"REMOTE_ADDR": address, "REMOTE_PORT": port}


HTTPS = {"wsgi.url_scheme": "https", "HTTPS": "on", "SERVER_PORT": "443"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"X-Forwarded-For": "192.0.2.1"}, client("192.0.2.1")),
        ({"X-Forwarded-For": "6.6.6.6, 192.0.2.1"}, client("192.0.2.1")),
        ({"X-Forwarded-For": "'not a list\", 192.0.2.1:80"}, client("192.0.2.1", "80")),
        ({"X-Forwarded-For": "2001:DB8::1"}, client("2001:db8::1")),
        ({"X-Forwarded-For": "unknown"}, client("unknown")),
        ({"X-Forwarded-Proto": "https"}, HTTPS),
        ({"X-Forwarded-Proto": "HTTPS"}, HTTPS),
        ({"X-Forwarded-Proto": "wss"}, HTTPS),
        ({"X-Forwarded-Proto": "javascript, https"}, HTTPS),
        ({"X-Forwarded-Proto": "http"}, {"SERVER_PORT": "80"}),
        ({"X-Forwarded-Proto": "ws"}, {"SERVER_PORT": "80"}),
        ({"X-Forwarded-Proto": "https", "Host": "a:8443"}, HTTPS | {"SERVER_PORT": "8443", "HTTP_HOST": "a:8443"}),
        ({"X-Forwarded-Host": "a"}, {"HTTP_HOST": "a", "SERVER_NAME": "a", "SERVER_PORT": "80"}),
        ({"X-Forwarded-Host": "e/vil, a:8080"}, {"HTTP_HOST": "a:8080", "SERVER_NAME": "a", "SERVER_PORT": "8080"}),
        ({"X-Forwarded-Host": "[::1]"}, {"HTTP_HOST": "[::1]", "SERVER_NAME": "[::1]", "SERVER_PORT": "80"}),
        ({"X-Forwarded-Host": "[::1]:1"}, {"HTTP_HOST": "[::1]:1", "SERVER_NAME": "[::1]", "SERVER_PORT": "1"}),
        ({"X-Forwarded-Host": "a:"}, {"HTTP_HOST": "a:", "SERVER_NAME": "a", "SERVER_PORT": "80"}),
        ({"X-Forwarded-Port": "8443"}, {"SERVER_PORT": "8443", "HTTP_HOST": "host:8443"}),
        ({"X-Forwarded-Port": "80"}, {"SERVER_PORT": "80"}),
        ({"X-Forwarded-Port": "80", "Host": "a:8000"}, {"SERVER_PORT": "80", "HTTP_HOST": "a"}),
        ({"X-Forwarded-Port": "9", "Host": "[::1]:8"}, {"SERVER_PORT": "9", "HTTP_HOST": "[::1]:9"}),
        ({"X-Forwarded-Port": "443", "X-Forwarded-Proto": "https"}, HTTPS),
        (
            {"X-Forwarded-Port": "80", "X-Forwarded-Proto": "https"},
            HTTPS | {"SERVER_PORT": "80", "HTTP_HOST": "host:80"},
        ),
        (
            {"X-Forwarded-Port": "8443", "X-Forwarded-Host": "a:1", "X-Forwarded-Proto": "https"},
            HTTPS | {"SERVER_PORT": "8443", "SERVER_NAME": "a", "HTTP_HOST": "a:8443"},
        ),
        ({"X-Forwarded-Prefix": "/app"}, {"SCRIPT_NAME": "/app"}),
        ({"X-Forwarded-Prefix": "nonsense, /a/b/"}, {"SCRIPT_NAME": "/a/b"}),
        ({"X-Forwarded-Prefix": "/caf%C3%A9"}, {"SCRIPT_NAME": "/caf\xc3\xa9"}),
        ({"X-Forwarded-Prefix": "/caf\xc3\xa9"}, {"SCRIPT_NAME": "/caf\xc3\xa9"}),
        ({"X-Forwarded-Prefix": "/"}, {}),
        ({"X-Forwarded-Prefix": ""}, {}),
    ],
)
def test_x_forwarded(fields: dict[str, str], expected: dict[str, str]) -> None:
    """What the last proxy has added to each field is believed; what stands before it may be anything."""
    assert told(fields) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("for=192.0.2.1", client("192.0.2.1")),
        ('for="[2001:db8::1]:80"', client("2001:db8::1", "80")),
        ("for=_hidden", client("_hidden")),
        ("for=unknown", client("unknown")),
        ("proto=https;for=192.0.2.1", client("192.0.2.1") | HTTPS),
        ('host="a:8080"', {"HTTP_HOST": "a:8080", "SERVER_NAME": "a", "SERVER_PORT": "8080"}),
        ('host=a;proto=https;by=_us;x="y"', HTTPS | {"HTTP_HOST": "a", "SERVER_NAME": "a"}),
        ('for="evil, for=192.0.2.1;proto=https', client("192.0.2.1") | HTTPS),
        ('port=1;prefix="/x"', {}),
        ("by=_us", {}),
        ("", {}),
    ],
)
def test_forwarded(value: str, expected: dict[str, str]) -> None:
    """The same by RFC 7239, whose parameters are for, proto and host."""
    assert told({"Forwarded": value}, ALL) == expected


def test_forwarded_comes_first() -> None:
    """Where both are believed, X-Forwarded-* is not mixed in, except for the prefix."""
    fields = {
        "Forwarded": "for=192.0.2.1",
        "X-Forwarded-For": "192.0.2.2",
        "X-Forwarded-Proto": "nonsense",
        "X-Forwarded-Prefix": "/app",
    }
    assert told(fields, ALL) == client("192.0.2.1") | {"SCRIPT_NAME": "/app"}
    assert told(fields, ("x-forwarded-for",)) == client("192.0.2.2")


@pytest.mark.parametrize(
    ("hops", "expected"), [(1, "192.0.2.3"), (2, "192.0.2.2"), (3, "192.0.2.1"), (4, "192.0.2.1"), (32, "192.0.2.1")]
)
def test_hops(hops: int, expected: str) -> None:
    """Counted from the right; where there are fewer, the leftmost."""
    addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    assert told({"X-Forwarded-For": ", ".join(addresses)}, hops=hops) == client(expected)
    forwarded = ",".join(f"for={address}" for address in addresses)
    assert told({"Forwarded": forwarded}, ALL, hops=hops) == client(expected)


@pytest.mark.parametrize(
    "fields",
    [
        {"X-Forwarded-For": ""},
        {"X-Forwarded-For": "192.0.2.1, nonsense"},
        {"X-Forwarded-For": "192.0.2.1,"},
        {"X-Forwarded-For": '::1%\xe9"'},
        {"X-Forwarded-Proto": "ftp"},
        {"X-Forwarded-Proto": ""},
        {"X-Forwarded-Host": ""},
        {"X-Forwarded-Host": "a/b"},
        {"X-Forwarded-Host": "u@a"},
        {"X-Forwarded-Host": "[::1"},
        {"X-Forwarded-Host": "[:::1]"},
        {"X-Forwarded-Port": "0"},
        {"X-Forwarded-Port": "65536"},
        {"X-Forwarded-Port": "-1"},
        {"X-Forwarded-Port": "\xb2"},
        {"X-Forwarded-Port": "9" * 5000},
        {"X-Forwarded-Port": ""},
        {"X-Forwarded-Prefix": "app"},
        {"X-Forwarded-Prefix": "//evil.example"},
        {"X-Forwarded-Prefix": "/%2Fevil.example"},
        {"X-Forwarded-Prefix": "/a?b"},
        {"X-Forwarded-Prefix": "/%0"},
        {"X-Forwarded-Prefix": "/\\evil"},
        {"Forwarded": "for=192.0.2.1, nonsense"},
        {"Forwarded": "for=2001:db8::1"},
        {"Forwarded": "proto=ftp"},
        {"Forwarded": 'host="a/b"'},
    ],
)
def test_malformed(fields: dict[str, str]) -> None:
    """A proxy that is trusted and makes no sense is not passed over: its request is refused."""
    with pytest.raises(HTTPError) as caught:
        told(fields, ALL)
    assert caught.value.status == 400
    untrusting = told(fields, ALL, trusted=("192.0.2.0/24",))
    assert untrusting == {}


def test_https_of_ours() -> None:
    """HTTPS is there exactly where the scheme is https, whatever the proxy's own connection is."""
    ours = connection(HTTPS="on", SERVER_PORT="8443") | {"wsgi.url_scheme": "https"}
    assert told({"X-Forwarded-Proto": "https"}, environ=ours) == {"SERVER_PORT": "443"}
    expected = {"wsgi.url_scheme": "http", "HTTPS": None, "SERVER_PORT": "80"}
    assert told({"X-Forwarded-Proto": "http"}, environ=ours) == expected
    assert told({"X-Forwarded-For": "192.0.2.1"}, environ=ours) == client("192.0.2.1")


def test_without_host() -> None:
    """HTTP/1.0 without Host gets one where it is believed, and none of its own making."""
    fields = cgi({"X-Forwarded-Port": "8443"})
    forwarding = Forwarding(TrustedPeers(["10.0.0.0/8"]), X)
    assert forwarding.connection_environ(connection(), fields)["SERVER_PORT"] == "8443"
    assert "HTTP_HOST" not in fields
    fields = cgi({"X-Forwarded-Port": "8443", "X-Forwarded-Host": "a"})
    forwarding.connection_environ(connection(), fields)
    assert fields["HTTP_HOST"] == "a:8443"


EVERYTHING = {
    "Forwarded": "for=192.0.2.1",
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "a",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Prefix": "/p",
}


@given(st.sets(st.sampled_from(ALL)), st.sampled_from(["10.0.0.7", "10.0.0.8", "", "fe80::1%lo", "nonsense"]))
def test_taken_away(believed: set[str], peer: str) -> None:
    """Only what is believed of somebody who is trusted stays; nobody else changes anything."""
    fields = cgi(EVERYTHING) | {"HTTP_X_FORWARDED": "stays"}
    environ = connection(peer)
    after = Forwarding(TrustedPeers(["10.0.0.7"]), believed).connection_environ(environ, fields)
    left = set(cgi(dict.fromkeys(believed, ""))) if peer == "10.0.0.7" else set()
    assert fields.keys() - {"HTTP_HOST"} == left | {"HTTP_X_FORWARDED"}
    assert (after is environ) == (not left)


def test_default_trusts_nobody() -> None:
    """Not even who comes by a unix socket."""
    for peer in ("", "127.0.0.1", "::1"):
        fields = cgi(EVERYTHING)
        environ = connection(peer)
        assert Forwarding().connection_environ(environ, fields) is environ
        assert fields == {}
    assert Forwarding(TrustedPeers(["unix:"]), ALL).connection_environ(connection(""), cgi(EVERYTHING)) != connection(
        ""
    )


def test_every_field_has_its_variable() -> None:
    """What the option offers is what is read or taken away."""
    assert set(cgi(dict.fromkeys(ALL, ""))) == FORWARDED


@given(st.sets(st.sampled_from(ALL), min_size=1), st.data())
def test_anything_is_believed_or_refused(believed: set[str], data: st.DataObject) -> None:
    """Whatever a trusted proxy says, there is a valid Host and scheme, or a 400."""
    value = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=12)
    some = st.sampled_from([*EVERYTHING.values(), "https,", 'proto="https";host="x:1"', "unknown", "a:99", "/p/"])
    fields = cgi({name: data.draw(value | some) for name in believed}) | {"HTTP_HOST": "host"}
    try:
        after = Forwarding(TrustedPeers([PEER]), believed).connection_environ(connection(), fields)
    except HTTPError:
        return
    assert after["wsgi.url_scheme"] in ("http", "https")
    assert ("HTTPS" in after) == (after["wsgi.url_scheme"] == "https")
    assert after["SERVER_PORT"].isdigit()
    assert after["REMOTE_PORT"].isdigit()
    assert after["REMOTE_ADDR"]
    assert after["SCRIPT_NAME"][:1] in ("", "/")
    assert after["wsgiraw.peer"] == (PEER, "4711")

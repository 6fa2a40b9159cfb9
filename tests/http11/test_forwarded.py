"""Lists that proxies append to: read from the right, and only as far as is asked for (RFC 7239)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgiraw.errors import HTTPError
from wsgiraw.http11.forwarded import forwarded_element, forwarded_parameters, listed_element, node


@pytest.mark.parametrize(
    ("value", "hops", "element"),
    [
        ("a", 1, "a"),
        ("a, b", 1, "b"),
        ("a ,b\t,  c ", 2, "b"),
        ("a, b", 2, "a"),
        ("a, b", 3, "a"),
        ("a, b", 32, "a"),
        ("", 1, ""),
        ("a,", 1, ""),
        (",a", 1, "a"),
    ],
)
def test_listed_element(value: str, hops: int, element: str) -> None:
    """Counted from the right; where there are fewer, it is the leftmost."""
    assert listed_element(value, hops) == element
    assert forwarded_element(value, hops).strip(" \t") == element


@pytest.mark.parametrize(
    ("value", "hops", "element"),
    [
        ('for="a,b"', 1, 'for="a,b"'),
        ('x="1,2", for="a,b"', 1, ' for="a,b"'),
        ('x="1,2", for="a,b"', 2, 'x="1,2"'),
        ('x="\\"", y="\\\\"', 1, ' y="\\\\"'),
        ('x="\\"", y="\\\\"', 2, 'x="\\""'),
        ('x="a\\\\\\",b"', 1, 'x="a\\\\\\",b"'),
        # A string that the first client has left open does not swallow what proxies have added.
        ('for="evil, for=b', 1, " for=b"),
        ('for="evil, for="b,c"', 1, ' for="b,c"'),
        ('for="evil\\, for=b;host="c\\",d", for=e', 2, ' for=b;host="c\\",d"'),
        ('"', 1, '"'),
        ('a\\"', 1, 'a\\"'),
        ('\\"a"', 1, '\\"a"'),
    ],
)
def test_forwarded_element(value: str, hops: int, element: str) -> None:
    """Commas in quoted strings separate nothing."""
    assert forwarded_element(value, hops) == element


@given(st.text('ab,"\\;= ', max_size=30), st.lists(st.text('a,"\\; ', max_size=6), min_size=1, max_size=4))
def test_nobody_else_is_looked_at(sent: str, said: list[str]) -> None:
    """Whatever a client sends, what the last proxies have added is found, quoted as it may be."""
    elements = ['x="' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in said]
    value = ", ".join([sent, *elements])
    for hops, one in enumerate(reversed(said), 1):
        assert forwarded_parameters(forwarded_element(value, hops)) == {"x": one}


@pytest.mark.parametrize(
    ("element", "parameters"),
    [
        ("", {}),
        (" ;; ", {}),
        ("for=192.0.2.60;proto=http;by=203.0.113.43", {"for": "192.0.2.60", "proto": "http", "by": "203.0.113.43"}),
        (' For="[2001:db8:cafe::17]:4711" ', {"for": "[2001:db8:cafe::17]:4711"}),
        ("for=a ;\tproto=b; ", {"for": "a", "proto": "b"}),
        (r'host="a\:\\\"\b"', {"host": r"a:\"b"}),
        ('secret="";x=y', {"secret": "", "x": "y"}),
        ('x="\t \xe9"', {"x": "\t \xe9"}),
    ],
)
def test_parameters(element: str, parameters: dict[str, str]) -> None:
    """Names in lower case, values without their quotes (RFC 7239 §4)."""
    assert forwarded_parameters(element) == parameters


@pytest.mark.parametrize(
    "element",
    [
        "for",
        "for=",
        "=a",
        "for =a",
        "for= a",
        "for=[::1]",
        "for=192.0.2.1:80",
        'for="a',
        'for="a\\"',
        'for="a"b',
        'for=a"b"',
        "for=a b",
        'for="\x00"',
        "for=a;FOR=b",
        "f\xf6r=a",
        "\xa0",
        " " * 50_000 + "x",
        "a=b" + " " * 50_000 + "x",
        '"' + "\\" * 50_000,
    ],
)
def test_malformed_parameters(element: str) -> None:
    """Anything else is refused, soon, and not quoted."""
    with pytest.raises(HTTPError) as caught:
        forwarded_parameters(element)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("192.0.2.1", "192.0.2.1", "0"),
        ("192.0.2.1:4711", "192.0.2.1", "4711"),
        ("192.0.2.1:_hidden", "192.0.2.1", "0"),
        ("192.0.2.1:00080", "192.0.2.1", "80"),
        ("[2001:DB8::0:1]", "2001:db8::1", "0"),
        ("[2001:db8::1]:65535", "2001:db8::1", "65535"),
        ("[::ffff:192.0.2.1]:1", "192.0.2.1", "1"),
        ("unknown", "unknown", "0"),
        ("Unknown:80", "unknown", "80"),
        ("_hidden", "_hidden", "0"),
        ("_SEVKISEK.x-y_z:_p", "_SEVKISEK.x-y_z", "0"),
    ],
)
def test_node(text: str, address: str, port: str) -> None:
    """Addresses as those of peers are shown, and what stands for one (RFC 7239 §6)."""
    assert node(text, "Forwarded") == node(text, "X-Forwarded-For") == (address, port)


@pytest.mark.parametrize("text", ["2001:db8::1", "::ffff:192.0.2.1"])
def test_without_brackets(text: str) -> None:
    """X-Forwarded-For has no rule for brackets; Forwarded has."""
    assert node(text, "X-Forwarded-For") == (text.removeprefix("::ffff:"), "0")
    with pytest.raises(HTTPError, match="malformed Forwarded"):
        node(text, "Forwarded")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 192.0.2.1",
        "192.0.2.1 ",
        "192.0.2",
        "192.0.2.01",
        "192.0.2.1:",
        "192.0.2.1:65536",
        "192.0.2.1:x",
        "192.0.2.1:_",
        "[192.0.2.1]",
        "[::1",
        "[::1]x",
        "[fe80::1%eth0]",
        "fe80::1%",
        "fe80::1%eth0",
        'fe80::1%" 200 -',
        "fe80::1%\xe9",
        "example.com",
        "_",
        "_a b",
        "\xb2.0.2.1",
        "'; drop",
    ],
)
def test_malformed_node(text: str) -> None:
    """Names, zones and the rest are no clients."""
    for field in ("Forwarded", "X-Forwarded-For"):
        with pytest.raises(HTTPError, match=f"malformed {field} field") as caught:
            node(text, field)
        assert caught.value.status == 400

"""Which peers are trusted, and what is said of what is no address."""

import pytest

from wsgiraw.trust import TrustedPeers, checked_network


@pytest.mark.parametrize("text", ["127.0.0.1", "10.0.0.0/8", "fd00::/8", "::1", "0.0.0.0/0", "unix:"])
def test_networks(text: str) -> None:
    assert checked_network(text) == text


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("10.0.0.1/8", "did you mean '10.0.0.0/8'?"),
        ("proxy.example.org", "give 10.0.0.7, 10.0.0.0/8, fd00::/8 or unix:"),
        ("*", "give 10.0.0.7"),
        ("10.0.0.0/33", "give 10.0.0.7"),
    ],
)
def test_what_is_no_network(text: str, advice: str) -> None:
    with pytest.raises(ValueError, match="is no address or network") as caught:
        checked_network(text)
    assert advice in str(caught.value)


@pytest.mark.parametrize(
    ("texts", "address", "trusted"),
    [
        ((), "127.0.0.1", False),
        (("127.0.0.1",), "127.0.0.1", True),
        (("127.0.0.1",), "127.0.0.2", False),
        (("127.0.0.1",), "", False),
        (("unix:",), "", True),
        (("unix:",), "127.0.0.1", False),
        (("10.0.0.0/8", "fd00::/8"), "fd12::1", True),
        (("10.0.0.0/8",), "::ffff:10.1.2.3", True),
        (("fe80::/10",), "fe80::1%eth0", True),
        (("10.0.0.0/8",), "unknown", False),
        (("0.0.0.0/0",), "_hidden", False),
    ],
)
def test_peers(texts: tuple[str, ...], address: str, trusted: bool) -> None:
    peers = TrustedPeers(texts)
    assert (address in peers) is trusted
    assert (address in peers) is trusted  # remembered
    assert bool(peers) is bool(texts)

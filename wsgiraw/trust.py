"""Which peers are trusted: addresses, networks, and whoever comes by a unix socket. Looks no name up."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

__all__ = ["TrustedPeers", "checked_network"]

_UNIX = "unix:"


def checked_network(text: str) -> str:
    """`text`, once it is an address, a network or `unix:`. Raises ValueError."""
    if text != _UNIX:
        try:
            ipaddress.ip_network(text)
        except ValueError as error:
            example = ""
            if "has host bits set" in str(error):
                example = f": did you mean {str(ipaddress.ip_network(text, strict=False))!r}?"
            advice = example or ": give 10.0.0.7, 10.0.0.0/8, fd00::/8 or unix:"
            raise ValueError(f"{text!r} is no address or network{advice}") from None
    return text


class TrustedPeers:
    """Answers `address in trusted`, where the address is `REMOTE_ADDR`: "" for a unix socket."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Each as `checked_network` accepts it."""
        named = tuple(texts)
        self._unix = _UNIX in named
        self._networks = [ipaddress.ip_network(text) for text in named if text != _UNIX]
        self._looked_up = lru_cache(maxsize=1024)(self._look_up)

    def __bool__(self) -> bool:
        return self._unix or bool(self._networks)

    def __contains__(self, address: str) -> bool:
        return self._looked_up(address)

    def _look_up(self, address: str) -> bool:
        if not address:
            return self._unix
        try:
            parsed = ipaddress.ip_address(address.partition("%")[0])  # a link-local one may name its interface
        except ValueError:
            return False
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self._networks)

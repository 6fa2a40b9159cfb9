"""What the fuzzer calls with octets of its choice. Each returns if all is well and raises if it has found a fault."""

from collections.abc import Callable
from typing import NamedTuple

from tests.fuzz.agreement import SMALL, agree, agree_on_head
from tests.fuzz.proxies import forwarded, proxy_header
from wsgiraw.http11 import Limits

__all__ = ["TARGETS", "Input", "seed"]

CONTROL = 7
"""Octets at the end of an input for `connection`: three positions of two octets, and one of which the last bit chooses
the limits."""


class Input(NamedTuple):
    """What an input for `connection` stands for."""

    octets: bytes
    positions: list[int]
    limits: Limits

    @classmethod
    def read(cls, data: bytes) -> "Input":
        """Take an input apart."""
        octets, control = data[:-CONTROL], data[-CONTROL:].rjust(CONTROL, b"\0")
        positions = [int.from_bytes(control[at : at + 2]) % (len(octets) + 1) for at in (0, 2, 4)]
        return cls(octets, positions, SMALL if control[-1] % 2 else Limits())


def seed(octets: bytes) -> bytes:
    """Return an input for `connection`: these octets, cut in the middle; limits are low where they are few."""
    return octets + (len(octets) // 2).to_bytes(2) * 3 + bytes([len(octets) < SMALL.head])


def connection(data: bytes) -> None:
    """A whole connection, cut at three places, against the model."""
    agree(*Input.read(data))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "connection": connection,
    "head": agree_on_head,
    "proxy-header": proxy_header,
    "forwarded": forwarded,
}

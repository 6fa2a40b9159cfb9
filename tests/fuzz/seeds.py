"""What the fuzzer begins with."""

from tests.corpus import cases
from tests.fuzz.proxies import FORWARDED_SEEDS
from tests.fuzz.targets import seed
from tests.net import test_proxy_protocol

__all__ = ["seeds"]


def seeds(target: str) -> dict[str, bytes]:
    """Return inputs of a target by name."""
    if target == "proxy-header":
        headers = {**test_proxy_protocol.VALID, **test_proxy_protocol.INVALID}
        return {name: octets for name, (octets, _) in headers.items()}
    if target == "forwarded":
        return {str(number): octets for number, octets in enumerate(FORWARDED_SEEDS)}
    corpus = {case.name: case.octets for case in cases.valid() + cases.invalid()}
    if target == "head":
        return {name: octets.partition(b"\r\n\r\n")[0] for name, octets in corpus.items()}
    return {name: seed(octets) for name, octets in corpus.items()}

"""The command line with a certificate, and where it listens."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.process import Process, running
from tests.tls.certificates import Certificate

__all__ = ["Site", "site_of"]


@dataclass(frozen=True)
class Site:
    """A process that serves over TLS."""

    process: Process
    port: int
    plain_port: int
    """Where it redirects to TLS; 0 unless it does."""


@contextmanager
def site_of(folder: Path, application: str, certificate: Certificate, *arguments: str) -> Iterator[Site]:
    """Run `wsgiraw APPLICATION --port=0 --certfile=... --keyfile=... ARGUMENTS`."""
    pattern = r"https://127\.0\.0\.1:([0-9]+)"
    if any(argument.startswith("--redirect-http") for argument in arguments):
        pattern += r".* http://127\.0\.0\.1:([0-9]+)"
    with running(folder, application, "--port=0", *certificate.flags, *arguments) as process:
        ports = [int(port) for port in process.line(pattern).groups()]
        yield Site(process, ports[0], ports[1] if len(ports) > 1 else 0)

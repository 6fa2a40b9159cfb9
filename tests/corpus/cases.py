"""Loads the corpus: what a client may send on one connection, and what a server must make of it.

Each `.http` file is one case; README.md beside this file describes the format. This module reads and checks the files
and knows nothing of any parser: the tests that run the cases decide how the octets are cut.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

__all__ = ["Case", "ExpectedRequest", "Subject", "invalid", "subjects", "valid"]

CORPUS = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedRequest:
    """One request that the server must see. Text is Latin-1, as PEP 3333 wants it."""

    method: str
    target: str  # as sent
    version: str  # as sent, `HTTP/1.2` stays `HTTP/1.2`
    path: str  # PATH_INFO: percent-decoded
    query: str
    fields: dict[str, str]  # by CGI name, complete
    keep_alive: bool
    body: str | None = None  # None: long, described by the two below
    body_length: int = 0  # octets
    body_sha256: str = ""

    def has_body(self, body: bytes) -> bool:
        """True if `body` is the decoded body that is expected."""
        if self.body is not None:
            return body == self.body.encode("latin-1")
        return len(body) == self.body_length and hashlib.sha256(body).hexdigest() == self.body_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The octets of one connection, and the requests and the refusal (`status`, None in valid cases) they must give."""

    name: str
    source: str  # `RFC 9112 §5.1`
    about: str
    octets: bytes
    requests: tuple[ExpectedRequest, ...]
    status: int | None
    interim: int | None  # 100: the last request wants 100 Continue as long as none of its body has arrived

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Subject:
    """Cases whose names begin with the same word, and are tested together: a test for each costs more than the case."""

    word: str
    cases: tuple[Case, ...]

    def __str__(self) -> str:
        return self.word

    def each(self, check: Callable[[Case], None]) -> None:
        """Check every case; raise all that was raised, each with the name of its case."""
        faults: list[Exception] = []
        for case in self.cases:
            try:
                check(case)
            except Exception as fault:
                fault.add_note(f"in the case {case}")
                faults.append(fault)
        if faults:
            raise ExceptionGroup(f"{len(faults)} of {len(self.cases)} cases", faults)


def subjects(cases: list[Case]) -> list[Subject]:
    """Put cases together by what they are about."""
    names = sorted(cases, key=str)
    return [Subject(word, tuple(found)) for word, found in groupby(names, lambda case: case.name.partition("-")[0])]


def load(path: Path) -> Case:
    """Reads one file. Raises ValueError where it does not have the form that README.md describes."""
    head, separator, octets = path.read_bytes().partition(b"\n\n")
    if not separator or not octets:
        raise ValueError(f"{path}: an empty line and the octets to send are missing")
    once: dict[str, str] = {}
    requests: list[ExpectedRequest] = []
    for line in head.decode("utf-8").split("\n"):
        key, _, value = line.partition(": ")
        if key == "request":
            requests.append(ExpectedRequest(**json.loads(value)))
        elif key not in {"source", "about", "status", "interim"} or key in once or not value:
            raise ValueError(f"{path}: unknown, repeated or empty header line {line!r}")
        else:
            once[key] = value
    refused = path.parent.name == "invalid"
    if not {"source", "about"} <= once.keys() or refused != ("status" in once) or not (refused or requests):
        raise ValueError(f"{path}: needs source, about, and a status (invalid/) or a request (valid/)")
    return Case(
        name=path.stem,
        source=once["source"],
        about=once["about"],
        octets=octets,
        requests=tuple(requests),
        status=int(once["status"]) if refused else None,
        interim=int(once["interim"]) if "interim" in once else None,
    )


@cache
def valid() -> list[Case]:
    """The cases whose every octet is served or, behind a request that closes the connection, ignored; by name."""
    return [load(path) for path in sorted(CORPUS.glob("valid/*.http"))]


@cache
def invalid() -> list[Case]:
    """The cases that end in a refusal, after the requests (if any) before the fault; by name."""
    return [load(path) for path in sorted(CORPUS.glob("invalid/*.http"))]

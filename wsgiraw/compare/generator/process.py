"""The parent's side of a generator: starts its process, pins it, gives it jobs, takes their results, sees to its end.

A process that is started once for several jobs leaves more of a short measurement for measuring.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence, Set
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from wsgiraw.compare.generator.job import Job, Question
from wsgiraw.compare.pinning import pinned
from wsgiraw.compare.results import Latency, Load

__all__ = ["Generator", "GeneratorFailed", "executed", "generator", "started"]

_STARTING = 30.0
"""Seconds that a process may take beyond its job."""
_ROOT = Path(__file__).resolve().parents[3]


class GeneratorFailed(Exception):
    """The generator has broken off, or has not ended in time: our fault, or the machine's. The text says which."""


class Generator:
    """A generator that waits for jobs; it does one after the other. Its servers are on 127.0.0.1."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def closed_loop(
        self,
        port: int,
        questions: Sequence[Question],
        *,
        connections: int = 32,
        seconds: float = 2.0,
        patience: float = 5.0,
    ) -> Load:
        """Ask a server as fast as it answers, for so many seconds. Raises ConfigError, GeneratorFailed."""
        job = Job(port=port, questions=questions, connections=connections, seconds=seconds, patience=patience)
        return Load(**self._done(job))

    def open_loop(
        self,
        port: int,
        questions: Sequence[Question],
        rate: float,
        *,
        connections: int = 32,
        seconds: float = 2.0,
        stalled: int = 0,
        patience: float = 5.0,
    ) -> Latency:
        """Ask a server at a steady rate; beside it, `stalled` connections have sent half a head.

        Raises ConfigError, GeneratorFailed.
        """
        job = Job(
            port=port,
            questions=questions,
            connections=connections,
            seconds=seconds,
            rate=rate,
            stalled=stalled,
            patience=patience,
        )
        result = self._done(job)
        histogram = {int(bound): number for bound, number in result["histogram"].items()}
        return Latency(**{**result, "histogram": histogram})

    def _done(self, job: Job) -> dict[str, Any]:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        with suppress(BrokenPipeError):
            process.stdin.write(job.to_json())
            process.stdin.flush()
        written = bytearray()
        end = time.monotonic() + job.seconds + job.patience + _STARTING
        while not written.endswith(b"\n"):
            if not select.select([process.stdout], [], [], max(end - time.monotonic(), 0))[0]:
                raise GeneratorFailed(f"the load generator has not ended within {_STARTING:g} s beyond its time")
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                code = process.wait()
                fault = process.stderr.read().decode(errors="replace").strip()
                raise GeneratorFailed(f"the load generator broke off: {fault or code}")
            written += data
        result: dict[str, Any] = json.loads(written)
        return result


@contextmanager
def generator(cores: Set[int] | None = None) -> Iterator[Generator]:
    """Start a generator on these cores; it is killed on the way out."""
    with started("wsgiraw.compare.generator", cores) as process:
        yield Generator(process)


def started(module: str, cores: Set[int] | None) -> "AbstractContextManager[subprocess.Popen[bytes]]":
    """Run a module of ours, as `executed` does."""
    # -P: the application's folder may have a module `select` of its own.
    return executed([sys.executable, "-P", "-m", module], cores)


@contextmanager
def executed(command: list[str], cores: Set[int] | None) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a command on these cores; it is killed on the way out if it still runs, by Ctrl-C or otherwise."""
    with pinned(cores):
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            process_group=0,  # Ctrl-C is for us; we kill it
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()

"""The parent's side of a generator: starts its process, pins it, gives it a job, takes the result, sees to its end."""

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
from wsgiraw.compare.results import Latency, Load

__all__ = ["GeneratorFailed", "closed_loop", "open_loop", "pinned", "started"]

_STARTING = 30.0
"""Seconds that a process may take beyond its job."""
_ROOT = Path(__file__).resolve().parents[3]


class GeneratorFailed(Exception):
    """The generator has broken off, or has not ended in time: our fault, or the machine's. The text says which."""


def closed_loop(
    port: int,
    questions: Sequence[Question],
    *,
    connections: int = 32,
    seconds: float = 2.0,
    patience: float = 5.0,
    cores: Set[int] | None = None,
) -> Load:
    """Ask a server on 127.0.0.1 as fast as it answers, for so many seconds, from a process on these cores.

    Raises ConfigError, GeneratorFailed.
    """
    job = Job(port=port, questions=questions, connections=connections, seconds=seconds, patience=patience)
    return Load(**_done(job, cores))


def open_loop(
    port: int,
    questions: Sequence[Question],
    rate: float,
    *,
    connections: int = 32,
    seconds: float = 2.0,
    stalled: int = 0,
    patience: float = 5.0,
    cores: Set[int] | None = None,
) -> Latency:
    """Ask a server on 127.0.0.1 at a steady rate; beside it, `stalled` connections have sent half a head.

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
    result = _done(job, cores)
    histogram = {int(bound): number for bound, number in result["histogram"].items()}
    return Latency(**{**result, "histogram": histogram})


def started(module: str, cores: Set[int] | None) -> "AbstractContextManager[subprocess.Popen[bytes]]":
    """Run a module of ours, as `pinned` does."""
    # -P: the application's folder may have a module `select` of its own.
    return pinned([sys.executable, "-P", "-m", module], cores)


@contextmanager
def pinned(command: list[str], cores: Set[int] | None) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a command on these cores; it is killed on the way out if it still runs, by Ctrl-C or otherwise."""
    own = os.sched_getaffinity(0)
    try:
        if cores:
            os.sched_setaffinity(0, cores)  # inherited from the first moment, by threads that it starts, too
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            process_group=0,  # Ctrl-C is for us; we kill it
        )
    finally:
        os.sched_setaffinity(0, own)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()


def _done(job: Job, cores: Set[int] | None) -> dict[str, Any]:
    with started("wsgiraw.compare.generator", cores) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        with suppress(BrokenPipeError):
            process.stdin.write(job.to_json())
            process.stdin.flush()
        written = bytearray()
        end = time.monotonic() + job.seconds + job.patience + _STARTING
        while select.select([process.stdout], [], [], max(end - time.monotonic(), 0))[0]:
            if data := os.read(process.stdout.fileno(), 65536):
                written += data
                continue
            if process.wait() == 0:
                result: dict[str, Any] = json.loads(written)
                return result
            fault = process.stderr.read().decode(errors="replace").strip()
            raise GeneratorFailed(f"the load generator broke off: {fault or process.returncode}")
        raise GeneratorFailed(f"the load generator has not ended within {_STARTING:g} s beyond its time")

"""`python -m wsgiraw.compare.generator`: jobs on standard input, a line of JSON each; their results on standard output.

It does one after the other, and gives up, without a result, as soon as standard input ends, so that it does not outlive
who has started it.
"""

import gc
import json
import resource
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from wsgiraw.compare.generator.closed import closed_loop
from wsgiraw.compare.generator.connections import Abandoned, Crowd
from wsgiraw.compare.generator.job import job_from_json
from wsgiraw.compare.generator.open import open_loop

__all__ = ["main"]


def main() -> int:
    """Do the jobs; return the exit code."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with suppress(OSError):  # how much longer than it was told to the kernel lets us sleep (proc(5))
        Path("/proc/self/timerslack_ns").write_text("1")
    gc.disable()  # its pauses would be taken for the server's
    while line := sys.stdin.buffer.readline():
        job = job_from_json(line)
        crowd = Crowd(job)
        crowd.watch_input()
        try:
            result = closed_loop(job, crowd) if job.rate is None else open_loop(job, crowd)
        except Abandoned:
            return 1
        finally:
            crowd.leave()
        sys.stdout.write(json.dumps(asdict(result)) + "\n")
        sys.stdout.flush()
        gc.collect()
    return 0


if __name__ == "__main__":
    sys.exit(main())

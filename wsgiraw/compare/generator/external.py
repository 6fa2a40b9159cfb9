"""Capacity by wrk or h2load, where our own generator would be what limits it: runs the program, reads its figures.

Neither compares the answers with anything, and neither takes a status below 400 for wrong: see to that beforehand.
Neither says how many connections it opened: `Load.connections` is 0. They send one
request: wrk all its variants in turn, h2load the first.
"""

import json
import math
import re
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Sequence, Set
from pathlib import Path

from wsgiraw.compare.generator.job import Question
from wsgiraw.compare.generator.process import GeneratorFailed, executed
from wsgiraw.compare.loopback import HOST
from wsgiraw.compare.results import Load
from wsgiraw.errors import ConfigError

__all__ = ["BUILT_IN", "EXTERNAL", "executable", "external_loop"]

BUILT_IN = "builtin"
"""The name of our own."""
EXTERNAL = ("wrk", "h2load")

_SCRIPT = """
local requests = {%s}
local position = 0

function request()
  position = position %% #requests + 1
  return requests[position]
end

function done(summary)
  local errors = summary.errors
  io.write(string.format(
    '\\n{"requests": %%d, "microseconds": %%d, "refused": %%d, "closed": %%d, "reset": %%d, "status": %%d,'
      .. ' "timeout": %%d}\\n',
    summary.requests, summary.duration, errors.connect, errors.read, errors.write, errors.status, errors.timeout
  ))
end
"""
_FINISHED = re.compile(
    r"finished in [^\n]*\n(?s:.*?)requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed, "
    r"(\d+) errored, (\d+) timeout\nstatus codes: \d+ 2xx, \d+ 3xx, (\d+) 4xx, (\d+) 5xx"
)


def external_loop(
    program: str,
    port: int,
    questions: Sequence[Question],
    *,
    connections: int = 32,
    seconds: float = 2.0,
    patience: float = 30.0,
    cores: Set[int] | None = None,
) -> Load:
    """Have one of EXTERNAL do what `closed_loop` does. wrk knows whole seconds only, and does more rather than less.

    Raises ConfigError where the program is not installed or cannot send that, GeneratorFailed.
    """
    found = executable(program, len(questions))
    run = _wrk if program == "wrk" else _h2load
    with tempfile.TemporaryDirectory() as folder:
        return run(found, port, questions[0], connections, seconds, patience, cores, Path(folder))


def executable(program: str, questions: int) -> str:
    """Return where the program is. Raises ConfigError where it is not installed or cannot send so many requests."""
    if program not in EXTERNAL:
        raise ConfigError(f"there is no generator {program!r}: {BUILT_IN}, {', '.join(EXTERNAL)}")
    found = shutil.which(program)
    if found is None:
        raise ConfigError(f"{program} is not installed: install it, or use --generator {BUILT_IN}")
    if questions != 1:
        raise ConfigError(f"{program} sends one request, not {questions}: use --generator {BUILT_IN}")
    return found


def _wrk(
    program: str,
    port: int,
    question: Question,
    connections: int,
    seconds: float,
    patience: float,
    cores: Set[int] | None,
    folder: Path,
) -> Load:
    script = folder / "requests.lua"
    script.write_text(_SCRIPT % ", ".join(map(_quoted, question.variants)))
    whole = math.ceil(seconds)
    command = [program, "-t1", f"-c{connections}", f"-d{whole}s", f"-s{script}", f"http://{HOST}:{port}/"]
    printed, cpu = _run(command, whole + patience, cores)
    try:
        figures = json.loads(printed.splitlines()[-1])
    except (IndexError, ValueError):
        raise GeneratorFailed(f"wrk said something unforeseen: {printed[-500:]!r}") from None
    took = figures["microseconds"] / 1e6
    errors = {kind: figures[kind] for kind in ("refused", "closed", "reset", "timeout") if figures[kind]}
    if figures["status"]:
        errors["status 400 or above"] = figures["status"]
    right = figures["requests"] - figures["status"]
    return Load(seconds=took, answered=right, connections=0, errors=errors, generator_busy=cpu / took)


def _quoted(octets: bytes) -> str:
    """Return a string of Lua."""
    plain = (chr(octet) if 32 <= octet < 127 and octet not in b'"\\' else f"\\{octet:03d}" for octet in octets)
    return f'"{"".join(plain)}"'


def _h2load(
    program: str,
    port: int,
    question: Question,
    connections: int,
    seconds: float,
    patience: float,
    cores: Set[int] | None,
    folder: Path,
) -> Load:
    head, _, body = question.variants[0].partition(b"\r\n\r\n")
    request_line, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = request_line.split(" ", 2)
    command = [program, "--h1", "-t1", f"-c{connections}", f"-D{round(seconds * 1000)}ms", f"-H:method: {method}"]
    # It writes Host (the address that it connects to) and Content-Length itself.
    command += [f"-H{line}" for line in lines if not line.lower().startswith(("host:", "content-length:"))]
    if body:
        (folder / "body").write_bytes(body)
        command.append(f"-d{folder / 'body'}")
    printed, cpu = _run([*command, f"http://{HOST}:{port}{target}"], seconds + patience, cores)
    match = _FINISHED.search(printed)
    if match is None:
        raise GeneratorFailed(f"h2load said something unforeseen: {printed[-500:]!r}")
    succeeded, failed, errored, timeout, client_errors, server_errors = map(int, match.groups())
    errors = {
        "failed": max(failed - errored - timeout - client_errors - server_errors, 0),
        "reset": errored,
        "timeout": timeout,
        "status 4xx": client_errors,
        "status 5xx": server_errors,
    }
    return Load(
        seconds=seconds,
        answered=succeeded,
        connections=0,
        errors={kind: number for kind, number in errors.items() if number},
        generator_busy=cpu / seconds,
    )


def _run(command: list[str], patience: float, cores: Set[int] | None) -> tuple[str, float]:
    """Return what it prints and how many seconds of CPU it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with executed(command, cores) as process:
        try:
            printed, fault = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            raise GeneratorFailed(f"{command[0]} has not ended in time") from None
        if process.returncode:
            raise GeneratorFailed(f"{command[0]} broke off: {(fault or printed).decode(errors='replace').strip()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return printed.decode(errors="replace"), cpu

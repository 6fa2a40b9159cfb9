"""What one plain request costs, in instructions and system calls: of whole servers, and of our stages.

    python benchmarks/budget.py
    python benchmarks/budget.py --page docs/performance.md
    python benchmarks/budget.py --tree ../earlier --page docs/performance.md --mark budget-before

Instructions are counted by `valgrind --tool=callgrind`, in all processes of the server, outside the kernel; system
calls by `strace -c -f`. Each count is the difference of two runs, with so many requests and with twice as many, so that
start and end drop out, and it does not depend on how busy the machine is. The requests, a browser's, come on a real
socket one after the other, so that each has a poll of its own. From several connections one poll may find several
requests, and how many is a matter of time. Hashes of text are not randomized.

`handoff` is told to wait a second, not a millisecond, before it takes a call for slow: all is tens of times slower
here, and its watchdog, who looks each millisecond of real time, would be counted as often. It tells nothing about time:
an instruction may take a quarter of a cycle, or wait for memory. It needs valgrind and strace.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from page import put
from servers import FAILURES, HOST, ROOT, THREADS, ServerFailed, conditions, facts, request
from stages import CONNECTION, EMPTY, OCTETS, RESPOND, STAGES, program

from wsgiraw.compare.generator.answers import Reading
from wsgiraw.compare.servers import process
from wsgiraw.compare.servers.chosen import chosen
from wsgiraw.compare.servers.process import Running
from wsgiraw.compare.servers.specification import environment

Count = TypeVar("Count")
APP = "benchmarks.plain:app"
SERVERS = "wsgiraw-handoff,wsgiraw-eventloop,bjoern,granian,waitress,gunicorn-gthread"
CALLGRIND = ("valgrind", "--tool=callgrind", "--trace-children=yes")
COLLECTED = re.compile(r"Collected : (\d+)")
START, END = 180.0, 120.0
"""Seconds: instrumented, a server needs tens of times as many as else."""
GRACE = 20.0
"""Traced, some do not end of themselves; what they do then is the same in each run."""
SELDOM = 0.02
"""System calls that are made less often per request are not named."""


def visit(port: int, requests: int, connections: int) -> None:
    """Send so many requests and read the answers. Raises ServerFailed if one is no 200."""
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection((HOST, port), END)) for _ in range(connections)]
        for number in range(requests):
            if number % connections == 0:
                for turn, client in enumerate(clients[: requests - number]):
                    client.sendall(OCTETS[(number + turn) % len(OCTETS)])
            answer = Reading(to_head=False)
            while not answer.feed(data := clients[number % connections].recv(65536)):
                if not data:
                    raise ServerFailed("it closed a connection")
            if answer.status != 200:
                raise ServerFailed(f"it answered {answer.status}")


@contextmanager
def instrumented(name: str, prefix: list[str], options: argparse.Namespace) -> Iterator[Running]:
    """Run a server with a command before its own."""
    (peer,) = chosen([name])
    if peer.version() is None:
        raise ServerFailed(f"it is not installed: {peer.pip}")
    patient = ["--handoff-after", "1"] if name in ("wsgiraw", "wsgiraw-handoff") else []

    def command(port: int) -> list[str]:
        *line, last = peer.command(APP, port, 1, THREADS)
        return [*prefix, *line, *patient, last]

    surroundings = {**environment({}, str(options.tree)), "PYTHONHASHSEED": "0"}
    ready = request("/", keep_alive=False)
    with process.running(
        command, ready, environment=surroundings, folder=str(options.tree), within=START, patience=END
    ) as server:
        yield server


def instructions(name: str, requests: int, options: argparse.Namespace) -> int:
    """Instructions of a server from its start to its end, so many requests in between."""
    with tempfile.TemporaryDirectory() as folder:
        prefix = [*CALLGRIND, "--callgrind-out-file=/dev/null", f"--log-file={folder}/%p"]
        with instrumented(name, prefix, options) as server:
            visit(server.port, requests, options.connections)
        return sum(collected(file.read_text(errors="replace")) for file in Path(folder).iterdir())


def collected(said: str) -> int:
    """What callgrind has counted. Raises ServerFailed if it was ended before it said so."""
    found = COLLECTED.search(said)
    if found is None:
        raise ServerFailed(f"valgrind counted nothing: {said[-500:]}")
    return int(found[1])


def system_calls(name: str, requests: int, options: argparse.Namespace) -> Counter[str]:
    """System calls of a server by name, the same."""
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder, "counts")
        with instrumented(name, ["strace", "-f", "-c", "-o", str(counts)], options) as server:
            visit(server.port, requests, options.connections)
            (own,) = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
            os.kill(int(own), signal.SIGTERM)  # strace, whose child it is, ignores that, and ends with it
            if server.wait(GRACE) is None:
                for pid in set(server.pids()) - {server.pid}:
                    os.kill(pid, signal.SIGKILL)
            if server.wait(END) is None:
                raise ServerFailed("it does not end")
        found: Counter[str] = Counter()
        for line in counts.read_text().splitlines():  # % time, seconds, usecs/call, calls, perhaps errors, name
            words = line.split()
            if len(words) >= 5 and words[3].isdigit() and words[-1] != "total":
                found[words[-1]] += int(words[3])
        return found


def both(count: Callable[[int], Count], requests: int) -> tuple[Count, Count]:
    """What so many requests and twice as many count, at the same time: no count depends on the time it takes."""
    with ThreadPoolExecutor(2) as pool:
        once, twice = pool.map(count, (requests, 2 * requests))
    return once, twice


def of_server(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Both, of one request."""
    count = options.requests
    less, more = both(lambda requests: instructions(name, requests, options), count)
    few, many = both(lambda requests: system_calls(name, requests, options), count)
    calls = {call: (many[call] - few[call]) / count for call in many}
    return {"instructions": (more - less) / count, "calls": sum(calls.values()), "by_name": calls}


def of_stage(stage: str, options: argparse.Namespace) -> float:
    """Instructions of one turn of a stage, the loop's included. Raises ServerFailed if the tree has no such."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "stage.py")
        file.write_text(program(stage))

        def count(turns: int) -> int:
            ended = subprocess.run(
                [*CALLGRIND, "--callgrind-out-file=/dev/null", sys.executable, str(file), str(turns)],
                cwd=options.tree,
                env={**environment({}, str(options.tree)), "PYTHONHASHSEED": "0"},
                capture_output=True,
                text=True,
                check=False,
            )
            if ended.returncode:
                raise ServerFailed(ended.stderr)
            return collected(ended.stderr)

        requests: int = options.requests
        less, more = both(count, requests)
    return (more - less) / requests


def servers_table(found: dict[str, dict[str, Any]]) -> str:
    """A row for each server, the first being what others are compared with."""
    baseline = next(iter(found))
    lines = [f"| server | instructions | ÷ {baseline} | system calls | which |", "|---|--:|--:|--:|---|"]
    for name, one in found.items():
        often = sorted(one["by_name"].items(), key=lambda pair: -pair[1])
        named = ", ".join(f"{call} {times:.2f}" for call, times in often if times >= SELDOM)
        ratio = one["instructions"] / found[baseline]["instructions"]
        lines.append(f"| {name} | {one['instructions']:,.0f} | {ratio:.2f} | {one['calls']:.2f} | {named} |")
    return "\n".join(lines)


def stages_table(found: dict[str, float], whole: float | None) -> str:
    """A row for each stage; with a whole request of `eventloop`, the share of each, and what is left."""
    rows = dict(found)
    if whole:
        rows["all else of `eventloop`: loop, poll, recv, send"] = whole - sum(
            rows[title] for title, stage in STAGES.items() if stage in (CONNECTION, RESPOND)
        )
        rows["a whole request"] = whole
    lines = ["| stage | instructions | of all |", "|---|--:|--:|"]
    lines += [
        f"| {title} | {count:,.0f} | {f'{count / whole:.0%}' if whole else ''} |" for title, count in rows.items()
    ]
    return "\n".join(lines)


def main() -> int:
    """Count, print the tables; 1 if a server or a stage was left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", default=SERVERS, help=f"names, comma-separated (default: {SERVERS})")
    parser.add_argument("--requests", type=int, default=2000, help="the difference of two runs (default: 2000)")
    parser.add_argument("--connections", type=int, default=1, help="that ask at a time (default: 1)")
    parser.add_argument("--tree", type=Path, default=ROOT, help="the clone to measure (default: this one)")
    parser.add_argument("--page", type=Path, help="also put the tables into this page, such as docs/performance.md")
    parser.add_argument("--mark", default="budget", help="between the marks of this name (default: budget)")
    parser.add_argument("--json", type=Path, help="also write the counts to this file")
    options = parser.parse_args()
    options.tree = options.tree.resolve()
    for program_needed in ("valgrind", "strace"):
        if shutil.which(program_needed) is None:
            sys.exit(f"{program_needed} is not installed")
    before = facts()
    found: dict[str, dict[str, Any]] = {}
    stages: dict[str, float] = {}
    try:
        empty = of_stage(EMPTY, options)
        for title, stage in STAGES.items():
            stages[title] = of_stage(stage, options) - empty
            sys.stderr.write(f"{title}: {stages[title]:,.0f}\n")
    except ServerFailed as error:
        sys.stderr.write(f"stages left out: {error}\n")
    for name in options.servers.split(","):
        try:
            found[name] = of_server(name, options)
        except FAILURES as error:
            sys.stderr.write(f"{name} left out: {error}\n")
            continue
        sys.stderr.write(f"{name}: {found[name]['instructions']:,.0f}, {found[name]['calls']:.2f} calls\n")
    whole = found["wsgiraw-eventloop"]["instructions"] if "wsgiraw-eventloop" in found else None
    complete = len(stages) == len(STAGES)
    tables = [servers_table(found)] * bool(found) + [stages_table(stages, whole)] * complete
    tools = ", ".join(
        subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        for tool in ("valgrind", "strace")
    )
    text = "\n\n".join(tables) + f"\n\nOf one request: `{APP}`, {options.requests} requests more than in another run; "
    text += f"connections: {options.connections}. {tools}; {conditions(before)}\n"
    sys.stdout.write(text)
    if options.page:
        put(options.page, options.mark, text)
    if options.json:
        options.json.write_text(json.dumps({**before, "servers": found, "stages": stages}, indent=1) + "\n")
    return 0 if complete and len(found) == len(options.servers.split(",")) else 1


if __name__ == "__main__":
    sys.exit(main())

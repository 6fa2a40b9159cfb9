"""How evenly several workers share connections and requests: which process answered, counted.

    python benchmarks/balance.py --workers 2,4

* idle: 200 connections are opened one after the other, each is asked once and kept: connections of each worker;
* kept: 64 connections, opened at once, ask again and again: requests of each worker, and all of them per second;
* new: 64 clients open a connection for every request: the same;
* slow: the same with requests that sleep 50 ms, 8 threads to a worker: the share that each has, and how much of what
  the threads could do at most was done.

The server's processes run wherever the kernel puts them, beside the client: this shows shares, and which server wastes
its workers; it is no measure of speed. It needs Linux.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from itertools import repeat
from pathlib import Path
from typing import Any

from closed_loop import Outcome, drive
from page import put
from servers import FAILURES, conditions, facts, request, running

APP = "benchmarks.slow:app"
SERVERS = "wsgiraw-handoff,granian,gunicorn-gthread"
THREADS = 8
CLIENTS = 64
CONNECTIONS = 200
SLEEP_MS = 50
SLEEP = f"/sleep?ms={SLEEP_MS}"


def worker(body: bytes) -> int:
    """The process that gave this answer."""
    return int(body.split()[-2])


def connections_kept(port: int) -> Counter[int]:
    """Connections of each worker, opened one after the other."""
    with ExitStack() as stack:
        count: Counter[int] = Counter()
        for _ in range(CONNECTIONS):
            connection = stack.enter_context(closing(HTTPConnection("127.0.0.1", port, timeout=10)))
            connection.request("GET", "/pid")
            count[worker(connection.getresponse().read())] += 1
        return count


def answers(outcome: Outcome) -> Counter[int]:
    """Answers of each worker."""
    count: Counter[int] = Counter()
    for body, times in outcome.bodies.items():
        count[worker(body)] += times
    return count


def shares(count: Mapping[int, int], workers: int) -> str:
    """Who has how much, in percent, most first; a worker that has nothing counts."""
    numbers = sorted(count.values(), reverse=True) + [0] * (workers - len(count))
    return " : ".join(f"{100 * number / sum(numbers):.0f}" for number in numbers)


def measure(name: str, workers: int, options: argparse.Namespace) -> dict[str, Any]:
    """The four counts of one server, by process."""
    with running(name, APP, path="/quick", workers=workers, threads=THREADS) as server:
        idle = connections_kept(server.port)
        runs = {}
        for load, path, keep_alive in (("kept", "/pid", True), ("new", "/pid", False), ("slow", SLEEP, False)):
            runs[load] = drive(
                server.port,
                [request(path, keep_alive=keep_alive)],
                [repeat(0)] * CLIENTS,
                options.seconds,
                keep_alive=keep_alive,
                keep_bodies=True,
            )
    return {
        "idle": idle,
        **{load: answers(outcome) for load, outcome in runs.items()},
        "per_second": {load: outcome.rate for load, outcome in runs.items()},
        "failed": sum(outcome.failed for outcome in runs.values()),
    }


def row(name: str, workers: int, result: Mapping[str, Any]) -> str:
    """A line of the table."""
    rates = result["per_second"]
    most = min(workers * THREADS, CLIENTS) * 1000 / SLEEP_MS
    cells = [
        *(name, str(workers), shares(result["idle"], workers)),
        *(shares(result["kept"], workers), f"{rates['kept']:.0f}"),
        *(shares(result["new"], workers), f"{rates['new']:.0f}"),
        *(shares(result["slow"], workers), f"{rates['slow'] / most:.0%}", str(result["failed"])),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Count, print a table; 1 if a server could not be measured or a request failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", default=SERVERS, help=f"names, comma-separated (default: {SERVERS})")
    parser.add_argument("--workers", default="2,4", help="numbers of workers, comma-separated (default: 2,4)")
    parser.add_argument("--seconds", type=float, default=5, help="of each load (default: 5)")
    parser.add_argument("--page", type=Path, help="also put the table into this page, such as docs/concurrency.md")
    parser.add_argument("--json", type=Path, help="also write the counts to this file")
    options = parser.parse_args()
    before = facts()
    lines = [
        f"| server | workers | idle | kept | requests/s | new | requests/s | {SLEEP_MS} ms each | of what is possible "
        "| failed |",
        "|---|--:|---|---|--:|---|--:|---|--:|--:|",
    ]
    results: dict[str, dict[str, Any]] = {}
    sound = True
    for workers in map(int, options.workers.split(",")):
        for name in options.servers.split(","):
            try:
                result = measure(name, workers, options)
            except FAILURES as error:
                sys.stderr.write(f"{name} with {workers} workers left out: {error}\n")
                sound = False
                continue
            lines.append(row(name, workers, result))
            sound = sound and not result["failed"]
            results[f"{name} x {workers}"] = result
    text = "\n".join(lines) + f"\n\nShares in percent; {CONNECTIONS} idle connections, {CLIENTS} clients, {THREADS} "
    text += f"threads to a worker, {options.seconds:g} s of each load. {conditions(before)}\n"
    sys.stdout.write(text)
    if options.page:
        put(options.page, "balance", text)
    if options.json:
        options.json.write_text(json.dumps({**before, "servers": results}, indent=1) + "\n")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())

"""What each strategy of wsgiraw costs and bears: writes the table of docs/concurrency.md, draws docs/concurrency.svg.

    python benchmarks/strategies.py
    python benchmarks/strategies.py --strategies eventloop,serial --page copy-of-the-page.md

For each strategy, one worker with its master and the default of 8 threads (where it has threads) is measured:

* idle: memory of all its processes for each connection that was answered once and then says nothing, as many as
  the strategy can hold;
* delay: how long somebody else's quick request takes that is sent on a new connection 100 ms after one of a second;
* crowd: so many clients at once ask an application that takes a second; when it was called for each, and when each had
  its answer.

It does not measure throughput (`wsgiraw compare`, slow_calls.py), nor memory in the kernel. What a crash takes with it
and what a strategy is best for are judgements, written below. It needs Linux and two cores.
"""

import argparse
import json
import statistics
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

from idle_connections import answered, ask, memory, raise_descriptor_limit
from page import put
from servers import ROOT, THREADS, ServerFailed, facts, pinned, running
from timeline import Panel, Visit, draw

from wsgiraw.strategies import STRATEGIES

APP = "benchmarks.slow:app"
PAGE = ROOT / "docs" / "concurrency.md"
REQUESTS_BEFORE = 500
HEAD_START = 0.1
PATIENCE = 120.0


class Character(NamedTuple):
    """What cannot be measured, and how many idle connections to measure with which arguments."""

    crash: str
    best_for: str
    holds: str = ""
    connections: int = 2000
    threads: int = THREADS
    own: tuple[str, ...] = ()


EVERYTHING = "all connections of its process"
CHARACTERS = {
    "handoff": Character(EVERYTHING, "nearly everything: applications that are quick, slow, or slow now and then"),
    "eventloop": Character(EVERYTHING, "applications that never wait, or are not safe with threads: add workers"),
    "pooled": Character(EVERYTHING, "applications that are always slow"),
    "threaded": Character(EVERYTHING, "few clients, behind a proxy; to read", " and a thread", 500, threads=520),
    "forking": Character(
        "its own connection",
        "code that crashes or leaks; to read",
        " and a process",
        100,
        own=("--max-children", "120"),
    ),
    "serial": Character("its own connection", "a debugger; to read", connections=1),
}


def idle(strategy: str) -> dict[str, float]:
    """KiB of a connection that says nothing; Pss counts what processes share once."""
    character = CHARACTERS[strategy]
    raise_descriptor_limit(character.connections)
    with running(f"wsgiraw-{strategy}", APP, path="/quick", threads=character.threads, own=character.own) as server:
        first = HTTPConnection("127.0.0.1", server.port, timeout=10)
        for _ in range(REQUESTS_BEFORE):
            ask(first, "/quick")
        first.close()
        before = memory(server)
        connections = [HTTPConnection("127.0.0.1", server.port, timeout=10) for _ in range(character.connections)]
        try:
            if not all(answered(connection, "/quick") for connection in connections):
                raise ServerFailed(f"it does not hold {len(connections)} connections\n{server.running.printed()}")
            after = memory(server)
        finally:
            for connection in connections:
                connection.close()
    each = {key: (after[key] - before[key]) / character.connections for key in before}
    return {"connections": character.connections, "pss_kib": each["Pss"], "rss_kib": each["Rss"]}


def visit(port: int, path: str) -> tuple[float, bytes, float]:
    """When one request on a connection of its own was sent, its body, and when it was there."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    sent = time.monotonic()
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        body = connection.getresponse().read()
        return sent, body, time.monotonic()
    finally:
        connection.close()


def delay(port: int) -> float:
    """Milliseconds that a quick request takes that is sent just after one of a second."""
    slow = threading.Thread(target=visit, args=(port, "/sleep?ms=1000"))
    slow.start()
    time.sleep(HEAD_START)
    sent, _, ended = visit(port, "/quick")
    slow.join()
    return (ended - sent) * 1000


def crowd(port: int, clients: int) -> list[Visit]:
    """So many clients at once, each on a connection of its own, who ask for what takes a second."""
    together = threading.Barrier(clients)
    visits: list[Visit] = []

    def client() -> None:
        together.wait()
        sent, body, ended = visit(port, "/sleep?ms=1000")
        began = float(body.split()[0])  # time.monotonic() is the same clock in all processes of a Linux
        visits.append(Visit(began - sent, ended - sent))

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(visits) != clients:
        raise ServerFailed(f"{clients - len(visits)} of {clients} clients had no answer")
    return visits


def table(results: dict[str, dict[str, Any]], clients: int) -> str:
    """The markdown table, as the strategies are listed."""
    lines = [
        "| strategy | shape | an idle connection costs | somebody else's quick request takes, during one of 1 s "
        f"| {clients} clients at once, 1 s each: last answer | a crash takes | best for |",
        "|---|---|--:|--:|--:|---|---|",
    ]
    for name, result in results.items():
        character, shape, kib = CHARACTERS[name], STRATEGIES[name].summary, result["idle"]["pss_kib"]
        cost = f"{kib:.1f} KiB" if kib < 100 else f"{kib / 1024:.1f} MiB"
        cost = cost + character.holds if character.connections > 1 else "the whole server"
        last = max(visit["ended"] for visit in result["crowd"])
        lines.append(
            f"| `{name}` | {shape} | {cost} | {result['delay_ms']:.0f} ms | {last:.1f} s "
            f"| {character.crash} | {character.best_for} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Measure each strategy, write table and picture; 1 if a strategy could not be measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strategies", default=",".join(STRATEGIES), help="names, comma-separated (default: all)")
    parser.add_argument("--clients", type=int, default=16, help="of the crowd (default: 16)")
    parser.add_argument("--page", type=Path, default=PAGE, help="which gets the table, and beside it the picture")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--client-core", type=int, default=1)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    results: dict[str, dict[str, Any]] = {}
    panels = []
    for name in options.strategies.split(","):
        sys.stderr.write(f"{name} ...\n")
        result: dict[str, Any] = {"idle": idle(name)}
        with (
            running(f"wsgiraw-{name}", APP, path="/quick", core=options.server_core) as server,
            pinned(options.client_core),
        ):
            result["delay_ms"] = statistics.median(delay(server.port) for _ in range(3))
            visits = crowd(server.port, options.clients)
        result["crowd"] = [{"began": visit.began, "ended": visit.ended} for visit in visits]
        panels.append(Panel(name, visits))
        results[name] = result
    on = facts()
    machine = on["machine"]
    heading = (
        f"{options.clients} clients at once, an application that takes 1 s, one process, 8 threads where there are any"
    )
    text = f"{table(results, options.clients)}\n\n{machine['cpu']}; {machine['kernel']}; {machine['python']}."
    sys.stdout.write(text + "\n")
    put(options.page, "strategies", text)
    options.page.with_suffix(".svg").write_text(draw(heading, panels))
    if options.json:
        options.json.write_text(json.dumps({**on, "strategies": results}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

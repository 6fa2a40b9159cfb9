"""What stalling clients do to others: the time of a normal client's requests among a crowd of them, and without it.

    python benchmarks/stalls.py
    python benchmarks/stalls.py --servers wsgiraw-handoff,granian --stalls half-head,unread --clients 200 --rounds 1
    python benchmarks/stalls.py --page docs/server-behaviour.md

Each server is started afresh for each stall, one worker process on one core, with the same number of threads where it
has any. A normal client measures it alone; then the crowd comes (stalling.py: --clients in each phase, in a process of
their own), and once they are connected and the server is at rest, the normal client measures it again. He is KEPT
connections that ask again and again, then NEW clients with a connection for every request, each for --seconds; all of
them, and the crowd, on the other core. Times are compared within the round, and the median over the rounds is shown. A
request that failed, or had no answer within --patience, has taken for ever.

A thread is held if it does not run a request: as many requests as there are threads, that sleep for a while, are sent
at once, and counted is how many of them do not begin together. (What /proc says of threads is in the JSON.) Memory is
Pss of all processes of the server; the kernel's socket buffers are not in it. Dropped is how many of the crowd the
server disconnected until the measurement was over, each of whom came back.

Peers have their limits on open connections lifted, or the crowd would be turned away by number; timeouts are
everybody's defaults. With `all` there are --clients in each phase at once, without those of TLS, for which a server
speaks TLS alone, and without the generator, which is an extra. It needs Linux and two cores.
"""

import argparse
import json
import math
import random
import sys
import tempfile
import time
from itertools import repeat
from pathlib import Path

from bounded import bounded
from certificates import KEY, Certificate, certificate
from closed_loop import Outcome, drive, percentile
from idle_connections import raise_descriptor_limit
from page import put
from phases import ALL, STALLS, TLS, TOGETHER
from servers import FAILURES, Server, conditions, facts, pinned, request, running
from stall_tables import SAMPLE, Results, tables
from stalling import Beside, crowd, descriptors

APP = "benchmarks.stallable:app"
SERVERS = "wsgiraw-handoff,wsgiraw-eventloop,wsgiraw-pooled,gunicorn-sync,gunicorn-gthread,waitress,granian,uwsgi"
SINGLE = ("gunicorn-sync", "wsgiraw-eventloop")
KEPT, NEW = 4, 2
ARRIVAL = 10.0
SETTLING = 10.0
LOOK, REST = 0.5, 0.25
"""A server is at rest when it needs less than this part of its core for so many seconds."""
SLEEP_MS = 400
PARTS = ("alone", "among")


def milliseconds(outcome: Outcome, percent: float) -> float:
    """A percentile of the requests' times, in which those that failed have taken for ever."""
    times = sorted(outcome.microseconds[0])
    short = percentile([*times, *repeat(sys.maxsize, outcome.failed)], percent)
    return short / 1000 if 0 < short < sys.maxsize else math.inf


def visit(port: int, seconds: float, patience: float, secured: Certificate | None) -> SAMPLE:
    """Median and p99 of a normal client, in milliseconds, on kept connections and on new ones."""
    found: SAMPLE = {}
    for name, clients in (("kept", KEPT), ("new", NEW)):
        outcome = drive(
            port,
            [request("/quick", keep_alive=name == "kept")],
            [repeat(0)] * clients,
            seconds,
            keep_alive=name == "kept",
            patience=patience,
            context=secured.context() if secured else None,
        )
        found |= {f"{name}_p50": milliseconds(outcome, 50), f"{name}_p99": milliseconds(outcome, 99)}
        found |= {f"{name}_answered": outcome.answered[0], f"{name}_failed": outcome.failed}
    return found


def running_together(port: int, threads: int, patience: float, secured: Certificate | None) -> int:
    """How many of as many requests as there are threads, which sleep, begin before the first has ended."""
    outcome = drive(
        port,
        [request(f"/sleep?ms={SLEEP_MS}")],
        [repeat(0)] * threads,
        SLEEP_MS / 2000,
        keep_bodies=True,
        patience=patience,
        context=secured.context() if secured else None,
    )
    began = sorted(float(body.split()[0]) for body in outcome.bodies)
    return sum(when < began[0] + SLEEP_MS / 1000 for when in began)


def watch(server: Server, seconds: float, patience: float, threads: int, secured: Certificate | None) -> SAMPLE:
    """All that is measured once alone and once among the crowd."""
    before, cpu = time.monotonic(), server.cpu_seconds()
    found = visit(server.port, seconds, patience, secured)
    found["busy"] = (server.cpu_seconds() - cpu) / (time.monotonic() - before)
    found["pss_kib"], found["threads"] = server.memory_kib("Pss"), server.threads()
    found["together"] = running_together(server.port, threads, patience, secured)
    return found


def arrive(people: Beside, server: Server) -> SAMPLE:
    """Wait until everybody is connected and the server is at rest, but not for ever; how they are then."""
    began = time.monotonic()
    state = people.state()
    while state["connected"] < state["clients"] and time.monotonic() < began + ARRIVAL:
        time.sleep(0.1)
        state = people.state()
    connected = time.monotonic()
    busy = True
    while busy and time.monotonic() < connected + SETTLING:
        before = server.cpu_seconds()
        time.sleep(LOOK)
        busy = server.cpu_seconds() - before > REST * LOOK
    return {**people.state(), "seconds": time.monotonic() - began - LOOK, "at_rest": not busy}


def measure(name: str, stall: str, options: argparse.Namespace, made: Certificate) -> SAMPLE:
    """One server alone and among one crowd. Raises ValueError if it cannot be stalled in this way."""
    kinds = TOGETHER if stall == ALL else [stall]
    secured = made if stall == TLS else None
    threads = 1 if name in SINGLE else options.threads
    with (
        running(
            name,
            APP,
            path="/quick",
            core=options.server_core,
            threads=options.threads,
            certificate=secured,
        ) as server,
        pinned(options.client_core),
    ):
        visit(server.port, options.warm_up, options.patience, secured)
        alone = watch(server, options.seconds, options.patience, threads, secured)
        with (
            bounded(server, options.most_mib * 1024) as exceeded,
            crowd(server.port, kinds, options.clients, options.client_core) as people,
        ):
            arrived = arrive(people, server)
            among = watch(server, options.seconds, options.patience, threads, secured)
            left = people.state()
            killed = exceeded.is_set()
    found = {"alone": alone, "among": among, "arrived": arrived, "left": left}
    return {**found, "killed": killed, "command": server.command}


def rounds(servers: list[str], stalls: list[str], options: argparse.Namespace, made: Certificate) -> Results:
    """Everything that could be measured, and what was in the way of the rest."""
    results: Results = {stall: {name: [] for name in servers} for stall in stalls}
    order = random.Random(options.seed)
    for turn in range(1, options.rounds + 1):
        for stall in stalls:
            for name in order.sample(servers, len(servers)):
                before = time.monotonic()
                try:
                    sample = measure(name, stall, options, made)
                except FAILURES as error:
                    sys.stderr.write(f"round {turn}: {stall:16} {name:18} left out: {error}\n")
                    continue
                results[stall][name].append(sample)
                alone, among = (f"{sample[which]['kept_p99']:.2f}/{sample[which]['new_p99']:.2f}" for which in PARTS)
                took = time.monotonic() - before
                sys.stderr.write(f"round {turn}: {stall:16} {name:18} p99 {alone} -> {among} ms, took {took:.0f} s\n")
                if sample["left"]["late"] > 1:
                    sys.stderr.write(f"an octet of the crowd was {sample['left']['late']:.1f} s late\n")
    return results


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", default=SERVERS, help=f"names, comma-separated (default: {SERVERS})")
    parser.add_argument(
        "--stalls", default=",".join([*STALLS, ALL]), help="names, comma-separated (default: each, all)"
    )
    parser.add_argument("--clients", type=int, default=1000, help="that stall, in each phase (default: 1000)")
    parser.add_argument("--seconds", type=float, default=3, help="of kept and of new connections each (default: 3)")
    parser.add_argument("--warm-up", type=float, default=0.5, help="the same, before measuring (default: 0.5)")
    parser.add_argument("--patience", type=float, default=5, help="seconds, then there is no answer (default: 5)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--most-mib", type=int, default=4096, help="a server that takes more memory is killed (default: 4096)"
    )
    parser.add_argument("--threads", type=int, default=8, help="of servers that have any (default: 8)")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--client-core", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="for the order of servers in each round (default: 1)")
    parser.add_argument(
        "--page", type=Path, help="also put the tables into this page, such as docs/server-behaviour.md"
    )
    parser.add_argument("--json", type=Path, help="also write every sample to this file")
    options = parser.parse_args()
    for stall in options.stalls.split(","):
        if stall not in (*STALLS, ALL):
            parser.error(f"there is no stall {stall!r}: give {', '.join(STALLS)} or {ALL}")
    return options


def main() -> None:
    """Measure, print the tables and the command lines."""
    options = arguments()
    raise_descriptor_limit(descriptors(TOGETHER, options.clients))
    before = facts()
    with tempfile.TemporaryDirectory() as folder:
        results = rounds(options.servers.split(","), options.stalls.split(","), options, certificate(Path(folder)))
    text = (
        f"{tables(results)}\n\nMedians of {options.rounds} rounds; {options.clients} stalling clients in each phase, "
    )
    text += f"{KEPT} kept and then {NEW} new connections at a time for {options.seconds:g} s each, {options.threads} "
    text += (
        f"threads, server on core {options.server_core}, all clients on core {options.client_core}; TLS with a key of "
    )
    text += f"{KEY}. {conditions(before)}\n"
    commands = {name: one["command"] for row in results.values() for name, samples in row.items() for one in samples}
    lines = [f"* {name}: `{line}`\n" for name, line in commands.items()]
    sys.stdout.write(f"{text}\n{''.join(lines)}")
    if options.page:
        put(options.page, "stalls", text)
    if options.json:
        options.json.write_text(json.dumps({**before, "commands": commands, "stalls": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""What slow calls do to throughput and to quick requests: the same mixture of both under each server.

    python benchmarks/slow_calls.py all-slow one-in-a-thousand cpu-bound
    python benchmarks/slow_calls.py one-in-a-thousand --servers wsgiraw-handoff,granian --rounds 5 --json figures.json
    python benchmarks/slow_calls.py --page docs/concurrency.md

* all-slow: 64 connections, every request sleeps 50 ms. With 16 threads at most 320 requests/s are possible.
* one-in-a-thousand: 32 connections, each request sleeps 200 ms with a chance of 1 to 1000, 16 threads; and the same
  with none asleep.
* cpu-bound: 3 connections ask for 30 ms of computing in Python, again and again, beside 16 that ask for what is
  quick, 8 threads; and the same without the 3. wsgiraw is also measured with the switch intervals of
  `--switch-intervals`; 5 ms is the interpreter's default.

Each round starts every server afresh, in shuffled order, one process on one core, the client (closed_loop.py) on
another, and warms it up. Times are those of all requests as the clients saw them, with nothing corrected or added.
Which requests are slow is chosen by the client, from the same seeds for every server. It measures neither large bodies
nor more than one process, and a sleep stands for every wait in which the application lets other threads run. It needs
Linux and two cores.
"""

import argparse
import json
import random
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from closed_loop import Outcome, drive, percentile
from page import put, spread
from profiles import FIRST, PROFILES, Profile
from servers import FAILURES, ServerFailed, conditions, facts, pinned, request, running

APP = "benchmarks.slow:app"
SERVERS = "wsgiraw-handoff,granian,gunicorn-gthread,waitress"
Sample = dict[str, Any]
Round = dict[str, dict[str, Sample]]


@dataclass(frozen=True, slots=True)
class Contender:
    """A server, and the interpreter's switch interval in milliseconds unless it is the default of 5."""

    server: str
    interval: str = ""

    def __str__(self) -> str:
        return f"{self.server}, {self.interval} ms" if self.interval else self.server


def sample(outcome: Outcome, cpu: float) -> Sample:
    """The figures of one run; times in milliseconds, of all requests and of those to the first path."""
    everything = [time for times in outcome.microseconds for time in times]
    kinds = {"all": everything, "first": outcome.microseconds[FIRST]}
    figures: Sample = {
        "requests_per_second": outcome.rate,
        "first_per_second": outcome.answered[FIRST] / outcome.seconds,
        "failed": outcome.failed,
        "server_busy": cpu / outcome.seconds,
        "cpu_us_per_request": cpu * 1e6 / max(len(everything), 1),
        "client_busy": outcome.busy,
    }
    for kind, times in kinds.items():
        for percent in (50, 99, 99.9, 100):
            figures[f"{kind}_p{percent}_ms"] = percentile(times, percent) / 1000
    return figures


def measure(contender: Contender, profile: Profile, options: argparse.Namespace) -> dict[str, Sample]:
    """Start the server, and put each load on it in turn."""
    requests = [request(path) for path in profile.paths]
    samples = {}
    with (
        running(
            contender.server,
            APP,
            path="/quick",
            core=options.server_core,
            threads=options.threads or profile.threads,
            variables={"SWITCH_INTERVAL_MS": contender.interval},
        ) as server,
        pinned(options.client_core),
    ):
        for load, clients in profile.loads.items():
            drive(server.port, requests, clients(), options.warm_up)
            before = server.cpu_seconds()
            outcome = drive(server.port, requests, clients(), options.seconds)
            samples[load] = sample(outcome, server.cpu_seconds() - before)
            if not sum(outcome.answered):
                raise ServerFailed(f"it answered no request\n{server.running.printed()}")
    return samples


def rounds_of(name: str, options: argparse.Namespace) -> list[Round]:
    """One dict per round: contender, load, sample. A server that fails is left out of all rounds."""
    profile = PROFILES[name]
    contenders = [Contender(server) for server in options.servers.split(",")]
    if name == "cpu-bound" and options.switch_intervals:
        ours = [contender.server for contender in contenders if contender.server.startswith("wsgiraw")]
        contenders += [Contender(one, interval) for one in ours for interval in options.switch_intervals.split(",")]
    order = random.Random(options.seed)
    rounds: list[Round] = []
    for number in range(1, options.rounds + 1):
        rounds.append({})
        for contender in order.sample(contenders, len(contenders)):
            try:
                loads = measure(contender, profile, options)
            except FAILURES as error:
                sys.stderr.write(f"{contender} left out: {error}\n")
                contenders.remove(contender)
                continue
            rounds[-1][str(contender)] = loads
            for load, figures in loads.items():
                text = f"{figures['requests_per_second']:9.0f}/s, p99 {figures['all_p99_ms']:8.2f} ms"
                sys.stderr.write(f"{name} round {number}: {contender!s:28} {load:20} {text}\n")
    return [{str(contender): one[str(contender)] for contender in contenders} for one in rounds]


def table(rounds: Sequence[Round], profile: Profile) -> str:
    """The markdown table: medians over the rounds, failures in all of them."""
    path, *slow = profile.paths
    lines = [
        f"| server | load | requests/s |{''.join(f' `{one}`/s |' for one in slow)} `{path}` p50 ms | p99 | greatest "
        "| p99 of all | p99.9 of all | CPU µs/request | server, client busy | failed |",
        f"|---|---|--:|{'--:|' * len(slow)}--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    times = ("first_p50_ms", "first_p99_ms", "first_p100_ms", "all_p99_ms", "all_p99.9_ms")
    for load in profile.loads:
        for name in rounds[0]:
            samples = [one[name][load] for one in rounds]
            median = {key: statistics.median(one[key] for one in samples) for key in samples[0]}
            cells = [name, load, spread([one["requests_per_second"] for one in samples], 0)]
            cells += [f"{median['requests_per_second'] - median['first_per_second']:.0f}" for _ in slow]
            cells += [*(f"{median[key]:.1f}" for key in times), f"{median['cpu_us_per_request']:.0f}"]
            cells += [f"{median['server_busy']:.0%}, {median['client_busy']:.0%}"]
            lines.append(f"| {' | '.join(cells)} | {sum(one['failed'] for one in samples)} |")
    return "\n".join(lines)


def ratios(rounds: Sequence[Round], profile: Profile) -> list[str]:
    """Throughput of each wsgiraw ÷ that of each other server and of the best, and ÷ its own under the other load."""
    subject, *others = profile.loads
    # Those who compute would only show how much of the processor they got.
    key = "requests_per_second" if "cpu" not in profile.paths[-1] else "first_per_second"
    rates = [{name: {load: one[load][key] for load in one} for name, one in names.items()} for names in rounds]
    peers = [name for name in rates[0] if not name.startswith("wsgiraw")]
    lines = []
    for name in (name for name in rates[0] if name not in peers):
        found = {peer: [one[name][subject] / one[peer][subject] for one in rates] for peer in peers}
        if len(peers) > 1:
            best = [one[name][subject] / max(one[peer][subject] for peer in peers) for one in rates]
            found["the best of these in its round"] = best
        found |= {f"itself, {load}": [one[name][subject] / one[name][load] for one in rates] for load in others}
        if found:
            lines.append(f"{name} ÷ " + "; ".join(f"{other} {spread(values, 3)}" for other, values in found.items()))
    return lines


def core(text: str) -> int | None:
    """What pinned() takes: the number of a core, or None for `any`."""
    return None if text == "any" else int(text)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profiles", nargs="*", metavar="PROFILE", help=f"{', '.join(PROFILES)} (default: all)")
    parser.add_argument("--servers", default=SERVERS, help=f"names, comma-separated (default: {SERVERS})")
    parser.add_argument("--threads", type=int, help="of the application, in every server (default: the profile's)")
    parser.add_argument(
        "--switch-intervals", default="1,0.5", help="cpu-bound, of wsgiraw, milliseconds (default: 1,0.5)"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10, help="of each load in each round (default: 10)")
    parser.add_argument("--warm-up", type=float, default=2, help="seconds of load before measuring (default: 2)")
    parser.add_argument("--server-core", type=core, default=0, help="number, or any: wherever the kernel puts it")
    parser.add_argument("--client-core", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="for the order of servers in each round (default: 1)")
    parser.add_argument("--page", type=Path, help="also put the figures into this page, such as docs/concurrency.md")
    parser.add_argument("--json", type=Path, help="also write every sample to this file")
    options = parser.parse_args()
    options.profiles = options.profiles or list(PROFILES)
    for name in options.profiles:
        if name not in PROFILES:
            parser.error(f"there is no profile {name!r}: give one of {', '.join(PROFILES)}")
    return options


def main() -> int:
    """Measure each profile, report; 1 if a request failed."""
    options = arguments()
    began = facts()
    report: dict[str, list[Round]] = {}
    for name in options.profiles:
        before = facts()
        rounds, profile = rounds_of(name, options), PROFILES[name]
        if not rounds[0]:
            sys.exit(f"{name}: no server could be measured")
        report[name] = rounds
        threads = options.threads or profile.threads
        text = f"{table(rounds, profile)}\n\n" + "".join(f"* {line}\n" for line in ratios(rounds, profile))
        text += f"\nMedian (least-greatest), {options.rounds} rounds of {options.seconds:g} s, {threads} threads, "
        cores = "any core" if options.server_core is None else f"core {options.server_core}"
        text += f"server on {cores}, client on core {options.client_core}; "
        text += "ratios of throughput, pairwise per round.\n"
        text += f"{conditions(before)}\n"
        sys.stdout.write(f"### {name}\n\n{text}\n")
        if options.page:
            put(options.page, name, text)
    if options.json:
        options.json.write_text(json.dumps({**began, "profiles": report}, indent=1) + "\n")
    measured = [loads.values() for rounds in report.values() for one in rounds for loads in one.values()]
    return 1 if any(figures["failed"] for loads in measured for figures in loads) else 0


if __name__ == "__main__":
    sys.exit(main())

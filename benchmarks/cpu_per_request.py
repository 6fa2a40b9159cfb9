"""Server CPU per request: the same application under each server, one process on one core, wrk on another.

    python benchmarks/cpu_per_request.py benchmarks.plain:app
    python benchmarks/cpu_per_request.py apps.flask_calc:app --path /add/2/3 --servers wsgiraw-handoff,granian

Each round starts every server afresh, in shuffled order, warms it up and measures it. CPU is the difference of the
CPU clocks of all its processes around the wrk run, divided by the requests that wrk saw answered; ratios are taken
within a round and then their median, so that a slow minute of the machine weighs on all alike. `core busy` well below
100 % says that something else (wrk, a lock, a neighbour) held the server up. It needs wrk, Linux and two cores.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from page import put
from servers import Server, ServerFailedError, get, machine, pinned, running, versions

SCRIPT = Path(__file__).resolve().parent / "browser.lua"
SERVERS = "wsgiraw-handoff,granian,bjoern,fastpysgi,gunicorn-gthread,waitress"
SAMPLE = dict[str, Any]


def load(server: Server, options: argparse.Namespace, seconds: int) -> SAMPLE:
    """Run wrk against the server; wrk's own figures, and the server's CPU microseconds per request."""
    url = f"http://127.0.0.1:{server.port}{options.path}"
    wrk = ["wrk", "-t1", f"-c{options.connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(SCRIPT), url]
    with pinned(options.client_core):
        before = server.cpu_nanoseconds()
        output = subprocess.run(wrk, capture_output=True, text=True, check=True).stdout
        cpu = server.cpu_nanoseconds() - before
    sample: SAMPLE = json.loads(output.splitlines()[-1])
    if not sample["requests"]:
        raise ServerFailedError(f"{server.name} answered no request\n{output}\n{server.printed()}")
    sample["cpu_us_per_request"] = cpu / 1000 / sample["requests"]
    sample["requests_per_second"] = sample["requests"] / sample["microseconds"] * 1e6
    sample["busy"] = cpu / 1000 / sample["microseconds"]
    return sample


def check(names: list[str], options: argparse.Namespace) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Start each server once: the command lines of those that answer rightly, and what is wrong with the others.

    Right is 200 with the body of `--expect`, or else the body and Content-Type of the first server that gives 200.
    """
    commands: dict[str, list[str]] = {}
    faults: dict[str, str] = {}
    right: tuple[int, str, bytes] | None = None
    for name in names:
        try:
            with running(name, options.app, python=options.python, path=options.path) as server:
                answer = get(server.port, options.path)
        except (ServerFailedError, OSError, ValueError) as error:
            faults[name] = str(error)
            continue
        if answer[0] != 200 or (options.expect is not None and answer[2] != options.expect.encode()):
            faults[name] = f"wrong answer: {answer}"
        elif right is not None and answer != right:
            faults[name] = f"its answer {answer} differs from {right}"
        else:
            right = answer
            commands[name] = server.arguments
    return commands, faults


def measure(names: list[str], options: argparse.Namespace) -> list[dict[str, SAMPLE]]:
    """One dict per round: a sample for each server."""
    order = random.Random(options.seed)
    rounds = []
    for number in range(1, options.rounds + 1):
        samples: dict[str, SAMPLE] = {}
        for name in order.sample(names, len(names)):
            with running(
                name, options.app, python=options.python, path=options.path, core=options.server_core
            ) as server:
                load(server, options, options.warm_up)
                samples[name] = load(server, options, options.seconds)
            cpu, rate = samples[name]["cpu_us_per_request"], samples[name]["requests_per_second"]
            sys.stderr.write(f"round {number}: {name:20} {cpu:8.2f} us {rate:9.0f}/s\n")
        rounds.append(samples)
    return rounds


def spread(values: list[float], digits: int) -> str:
    """Median (least-greatest)."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def ratio(rounds: list[dict[str, SAMPLE]], name: str, other: str) -> float:
    """The median over the rounds of CPU per request of `name` divided by that of `other`."""
    key = "cpu_us_per_request"
    return statistics.median(float(samples[name][key] / samples[other][key]) for samples in rounds)


def table(rounds: list[dict[str, SAMPLE]], names: list[str], baseline: str) -> str:
    """The markdown table, cheapest server first."""
    lines = [
        f"| server | CPU µs/request | requests/s | it ÷ {baseline} | {baseline} ÷ it | core busy | p99 ms | errors |",
        "|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    for name in sorted(names, key=lambda name: ratio(rounds, name, baseline)):
        samples = [one[name] for one in rounds]
        cpu = spread([sample["cpu_us_per_request"] for sample in samples], 1)
        rate = spread([sample["requests_per_second"] for sample in samples], 0)
        busy = statistics.median(sample["busy"] for sample in samples)
        p99 = statistics.median(sample["latency_p99_us"] for sample in samples) / 1000
        errors = {
            key: sum(sample[key] for sample in samples) for key in ("connect", "read", "write", "status", "timeout")
        }
        shown = ", ".join(f"{count} {key}" for key, count in errors.items() if count) or "0"
        times, inverse = ratio(rounds, name, baseline), ratio(rounds, baseline, name)
        lines.append(f"| {name} | {cpu} | {rate} | {times:.2f} | {inverse:.2f} | {busy:.0%} | {p99:.1f} | {shown} |")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app", help="package.module:attribute, importable from the repository's root or PYTHONPATH")
    parser.add_argument("--path", default="/", help="request target (default: /)")
    parser.add_argument("--servers", default=SERVERS, help=f"names, comma-separated (default: {SERVERS})")
    parser.add_argument("--baseline", help="server that the ratios refer to (default: the first wsgiraw, or the first)")
    parser.add_argument("--expect", help="the body that every server must answer (default: that of the first)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--seconds", type=int, default=4, help="measured time of each server in each round (default: 4)"
    )
    parser.add_argument("--warm-up", type=int, default=1, help="seconds of load before measuring (default: 1)")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--client-core", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="for the order of servers in each round (default: 1)")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the servers (default: this one)")
    parser.add_argument("--page", type=Path, help="also put the table into this page, between the marks of the app")
    parser.add_argument("--json", type=Path, help="also write every sample to this file")
    return parser.parse_args()


def main() -> int:
    """Check, measure, report; 1 if a server could not be measured."""
    options = arguments()
    names = options.servers.split(",")
    commands, faults = check(names, options)
    for name, fault in faults.items():
        sys.stderr.write(f"{name} left out: {fault}\n")
    if not commands:
        return 1
    default = next((name for name in commands if name.startswith("wsgiraw")), next(iter(commands)))
    baseline = options.baseline or default
    if baseline not in commands:
        sys.exit(f"baseline {baseline!r} is not among the servers that can be measured: {', '.join(commands)}")
    before, started = machine(), datetime.now(UTC).isoformat(timespec="seconds")
    rounds = measure(list(commands), options)
    after = machine()
    used = versions(options.python)
    text = f"{table(rounds, list(commands), baseline)}\n\nMedian (least-greatest), {options.rounds} rounds of "
    text += (
        f"{options.seconds} s, {options.connections} connections, server on core {options.server_core}, wrk on core "
    )
    text += f"{options.client_core}; ratios of CPU, pairwise per round.\n{started}; {before['cpu']}; Linux "
    text += f"{before['kernel']}; load {before['load']} before, {after['load']} after.\n"
    text += ", ".join(f"{name} {version}" for name, version in used.items()) + ".\n"
    write = sys.stdout.write
    write(f"### `{options.app}` `{options.path}`\n\n{text}\n")
    if options.page:
        put(options.page, options.app, text)
    for name, line in commands.items():
        write(f"* {name}: `{' '.join(['python', *line[1:]])}`\n")
    for name, fault in faults.items():
        write(f"* {name} left out: {fault.splitlines()[-1]}\n")
    if options.json:
        report = {
            "started": started,
            "options": {**vars(options), "json": str(options.json), "page": str(options.page)},
            "machine": [before, after],
        }
        report |= {"versions": used, "commands": commands, "faults": faults, "rounds": rounds}
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

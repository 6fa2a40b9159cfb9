"""Static files of wsgiraw against nginx: CPU of the server per request, and throughput, by the size of the file.

    python benchmarks/static_files.py
    python benchmarks/static_files.py --rounds 5 --seconds 4 --page docs/performance.md

nginx has one worker, sendfile, tcp_nopush, gzip_static and no access log; wsgiraw one worker, its default strategy and
no access log. Each round starts both afresh, in shuffled order, the server on one core and wrk on the other; wrk sends
a browser's fields. CPU is that of all processes of the server, divided by the requests that were answered. Pictures and
videos are compressed already; beside a script, files in three codings are looked for (by nginx in one), and not found.
`of nginx` is the median over the rounds of the ratio within a round. It needs Linux, two cores, nginx and wrk.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from page import put, spread
from servers import HOST, Server, conditions, facts, get, started

from wsgiraw.compare.generator import Question
from wsgiraw.compare.generator.external import external_loop
from wsgiraw.compare.requests import Wanted
from wsgiraw.compare.servers.command_lines import wsgiraw

FILES = {
    "100 KB picture": ("100k.jpg", 100_000),
    "100 KB script": ("100k.js", 100_000),
    "10 MB video": ("10m.mp4", 10_000_000),
}
SERVERS = "wsgiraw,nginx"
THREADS = 8
Sample = dict[str, float]
Round = dict[tuple[str, str], Sample]
"""By server and file."""

NGINX = """\
daemon off;
worker_processes 1;
{user}
pid {own}/pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  gzip_static on;
  keepalive_requests 1000000000;
  types {{ image/jpeg jpg; video/mp4 mp4; text/javascript js; }}
  {temporary}
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextmanager
def serving(name: str, folder: Path, core: int) -> Iterator[Server]:
    """Serve a folder by nginx, or by wsgiraw; `wsgiraw-STRATEGY` chooses the strategy."""
    with tempfile.TemporaryDirectory() as own:

        def command(port: int) -> list[str]:
            if name != "nginx":
                line = wsgiraw("", port, 1, THREADS, strategy=name.partition("-")[2])
                return [*line[:-1], "--static", str(folder)]
            temporary = " ".join(f"{which}_temp_path {own}/{which};" for which in TEMPORARY)
            user = "user root;" if os.geteuid() == 0 else ""  # the folder is ours
            text = NGINX.format(own=own, folder=folder, port=port, user=user, temporary=temporary)
            Path(own, "nginx.conf").write_text(text)
            return ["nginx", "-p", own, "-c", f"{own}/nginx.conf"]

        with started(name, command, "/100k.jpg", core) as server:
            yield server


def load(server: Server, path: str, options: argparse.Namespace, seconds: float) -> Sample:
    """Run wrk against the server; its own figures, and the server's CPU microseconds per request."""
    question = Question(Wanted("GET", path).variants(f"{HOST}:{server.port}"))
    before = server.cpu_seconds()
    found = external_loop(
        "wrk", server.port, [question], connections=options.connections, seconds=seconds, cores={options.client_core}
    )
    cpu = server.cpu_seconds() - before
    if not found.answered or found.errors:
        raise SystemExit(f"{server.name} answered {found.answered} requests for {path}; errors: {found.errors}")
    return {
        "cpu_us_per_request": cpu * 1e6 / found.answered,
        "requests_per_second": found.answered / found.seconds,
        "busy": cpu / found.seconds,
    }


def measure(names: list[str], folder: Path, options: argparse.Namespace) -> list[Round]:
    """One dict per round."""
    order = random.Random(options.seed)
    rounds = []
    for number in range(1, options.rounds + 1):
        samples: Round = {}
        for name in order.sample(names, len(names)):
            with serving(name, folder, options.server_core) as server:
                for title, (file, size) in FILES.items():
                    status, body = get(server.port, f"/{file}")
                    if (status, len(body)) != (200, size):
                        raise SystemExit(f"{name} answers {status} with {len(body)} octets for {file}")
                    load(server, f"/{file}", options, options.warm_up)
                    samples[name, title] = sample = load(server, f"/{file}", options, options.seconds)
                    cpu, rate = sample["cpu_us_per_request"], sample["requests_per_second"]
                    sys.stderr.write(f"round {number}: {name:20} {title:15} {cpu:9.1f} us {rate:8.0f}/s\n")
        rounds.append(samples)
    return rounds


def table(rounds: list[Round], names: list[str]) -> str:
    """The markdown table."""
    lines = [
        "| file | server | CPU µs/request | of nginx | requests/s | of nginx | MB/s | core busy |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for title, (_, size) in FILES.items():
        for name in names:
            samples = [one[name, title] for one in rounds]

            def ratio(key: str, name: str = name, title: str = title) -> str:
                if "nginx" not in names:
                    return ""
                return f"{statistics.median(one[name, title][key] / one['nginx', title][key] for one in rounds):.2f}"

            rates = [sample["requests_per_second"] for sample in samples]
            cells = [title, name, spread([sample["cpu_us_per_request"] for sample in samples], 1)]
            cells += [ratio("cpu_us_per_request"), spread(rates, 0), ratio("requests_per_second")]
            cells += [f"{statistics.median(rates) * size / 1e6:.0f}"]
            cells += [f"{statistics.median(sample['busy'] for sample in samples):.0%}"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", default=SERVERS, help=f"names, comma-separated (default: {SERVERS})")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="measured time of each file (default: 4)")
    parser.add_argument("--warm-up", type=int, default=1, help="seconds of load before measuring (default: 1)")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--client-core", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="for the order of servers in each round (default: 1)")
    parser.add_argument("--page", type=Path, help="also put the table into this page, between the marks static-files")
    parser.add_argument("--json", type=Path, help="also write every sample to this file")
    return parser.parse_args()


def main() -> int:
    """Make the files, measure, report."""
    options = arguments()
    names = options.servers.split(",")
    before = facts()
    with tempfile.TemporaryDirectory() as folder:
        for file, size in FILES.values():
            Path(folder, file).write_bytes(os.urandom(size))
        Path(folder).chmod(0o755)
        rounds = measure(names, Path(folder), options)
    text = (
        f"{table(rounds, names)}\n\nMedian (least-greatest), {options.rounds} rounds of {options.seconds} s for each "
    )
    nginx = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr.strip()
    text += f"file, {options.connections} connections. {nginx}; {conditions(before)}\n"
    sys.stdout.write(text)
    if options.page:
        put(options.page, "static-files", text)
    if options.json:
        flat = [{f"{name} {title}": sample for (name, title), sample in one.items()} for one in rounds]
        options.json.write_text(json.dumps({**before, "rounds": flat}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What TLS costs: CPU of the server, all its processes, for a handshake and for a request, and how many a second.

    python benchmarks/tls.py
    python benchmarks/tls.py --servers wsgiraw-handoff,granian --rounds 5 --page docs/performance.md

* full: a connection, a handshake (TLS 1.3), one request with Connection: close, the end of it;
* resumed 1.3, resumed 1.2: the same, and the handshake takes up the session that the one before has left;
* kept: requests, one after the other, on connections that have their handshake behind them;
* plain: the same without a handshake, to compare.

Each round starts every server afresh, in shuffled order, one worker process on one core, the clients on the other. They
are Python's ssl in so many threads, and slower than the server, so that the rate is theirs as much as the server's:
CPU, read from the clocks of all its processes, is what counts. How many handshakes resumed a session is counted; where
none did, a server has no tickets, or forgets them. The certificate is made at the start, with a key of ECDSA P-256. It
needs Linux, two cores, and the openssl command.
"""

import argparse
import json
import random
import socket
import ssl
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import repeat
from pathlib import Path

from certificates import KEY, Certificate, certificate
from closed_loop import END, PATIENCE, RIGHT, drive
from page import put, spread
from servers import FAILURES, Server, ServerFailed, conditions, facts, pinned, request, running

APP = "benchmarks.slow:app"
SERVERS = "wsgiraw-handoff,gunicorn-gthread,granian"
NEWER, OLDER = ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2
VERSIONS = {"full": NEWER, "resumed 1.3": NEWER, "resumed 1.2": OLDER}
LOADS = (*VERSIONS, "kept", "plain")
SAMPLE = dict[str, float]
Round = dict[str, dict[str, SAMPLE]]
"""By server and load."""


class Visitor(threading.Thread):
    """A client who connects, shakes hands, asks once and leaves, again and again, with or without the last session."""

    def __init__(self, port: int, context: ssl.SSLContext, end: float, *, resumes: bool) -> None:
        super().__init__()
        self.done = self.resumed = self.failed = 0
        self._port, self._context, self._end, self._resumes = port, context, end, resumes
        self._session: ssl.SSLSession | None = None
        self._request = request("/quick", keep_alive=False)

    def run(self) -> None:
        """Until the time is over."""
        while time.monotonic() < self._end:
            try:
                self._visit()
            except OSError:
                self.failed += 1

    def _visit(self) -> None:
        with (
            socket.create_connection(("127.0.0.1", self._port), PATIENCE) as plain,
            self._context.wrap_socket(plain, server_hostname="127.0.0.1", session=self._session) as secured,
        ):
            # Else the request would be held back until the end of the handshake is acknowledged.
            secured.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            secured.sendall(self._request)
            answer = b""
            while data := secured.recv(65536):
                answer += data
            self.resumed += bool(secured.session_reused)
            if self._resumes:
                self._session = secured.session  # in TLS 1.3 a ticket is good for one more connection
        if answer.startswith(RIGHT) and answer.endswith(END):
            self.done += 1
        else:
            self.failed += 1


def visit(port: int, secured: Certificate, load: str, options: argparse.Namespace, seconds: float) -> SAMPLE:
    """Handshakes for so long."""
    began = time.monotonic()
    visitors = [
        # Each has a context of his own, as visitors have nothing in common.
        Visitor(port, secured.context(VERSIONS[load]), began + seconds, resumes=load != "full")
        for _ in range(options.clients)
    ]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    counts = {key: sum(getattr(visitor, key) for visitor in visitors) for key in ("done", "resumed", "failed")}
    return {**counts, "seconds": time.monotonic() - began}


def ask(port: int, context: ssl.SSLContext | None, options: argparse.Namespace, seconds: float) -> SAMPLE:
    """Requests on kept connections for so long."""
    outcome = drive(port, [request("/quick")], [repeat(0)] * options.clients, seconds, context=context)
    return {"done": len(outcome.microseconds[0]), "resumed": 0, "failed": outcome.failed, "seconds": outcome.seconds}


def measure(server: Server, load: Callable[[float], SAMPLE], options: argparse.Namespace) -> SAMPLE:
    """What one load costs a server that is warm."""
    load(options.warm_up)
    before = server.cpu_seconds()
    sample = load(options.seconds)
    cpu = server.cpu_seconds() - before
    if not sample["done"]:
        raise ServerFailed(f"it answered nothing\n{server.running.printed()}")
    rate, busy = sample["done"] / sample["seconds"], cpu / sample["seconds"]
    return {**sample, "cpu_us": cpu * 1e6 / sample["done"], "rate": rate, "busy": busy}


def one_round(name: str, made: Certificate, options: argparse.Namespace) -> tuple[dict[str, SAMPLE], str]:
    """All loads of one server, started once with TLS and once without; and its command with TLS."""
    samples: dict[str, SAMPLE] = {}
    command = ""
    for secured in (made, None):
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
            kept = partial(ask, server.port, secured.context() if secured else None, options)
            loads = {load: partial(visit, server.port, made, load, options) for load in VERSIONS} if secured else {}
            for load, run in {**loads, "kept" if secured else "plain": kept}.items():
                samples[load] = measure(server, run, options)
            command = command or server.command
    return samples, command


def rounds_of(options: argparse.Namespace, made: Certificate) -> tuple[list[Round], dict[str, str]]:
    """All rounds, and the command lines. A server that fails is left out of all rounds."""
    names, order = options.servers.split(","), random.Random(options.seed)
    rounds: list[Round] = []
    commands: dict[str, str] = {}
    for number in range(1, options.rounds + 1):
        rounds.append({})
        for name in order.sample(names, len(names)):
            try:
                rounds[-1][name], commands[name] = one_round(name, made, options)
            except FAILURES as error:
                sys.stderr.write(f"{name} left out: {error}\n")
                names.remove(name)
                continue
            figures = ", ".join(f"{load} {one['cpu_us']:.0f}" for load, one in rounds[-1][name].items())
            sys.stderr.write(f"round {number}: {name:18} CPU µs: {figures}\n")
    return [{name: one[name] for name in names} for one in rounds], {name: commands[name] for name in names}


def table(rounds: Sequence[Round]) -> str:
    """The markdown table; the first server is the one that others are compared with."""
    baseline = next(iter(rounds[0]))
    lines = [
        f"| | server | CPU µs each | it ÷ {baseline} | a second | a second of its core | resumed | failed |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for load in LOADS:
        for name in rounds[0]:
            samples = [one[name][load] for one in rounds]
            cpu = [sample["cpu_us"] for sample in samples]
            times = statistics.median(one[name][load]["cpu_us"] / one[baseline][load]["cpu_us"] for one in rounds)
            resumed = sum(sample["resumed"] for sample in samples) / sum(sample["done"] for sample in samples)
            cells = [
                *(load, name, spread(cpu, 0), f"{times:.2f}", spread([sample["rate"] for sample in samples], 0)),
                *(f"{1e6 / statistics.median(cpu):.0f}", f"{resumed:.0%}" if load in VERSIONS else ""),
            ]
            lines.append(f"| {' | '.join(cells)} | {sum(sample['failed'] for sample in samples)} |")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", default=SERVERS, help=f"names, comma-separated (default: {SERVERS})")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="of each load in each round (default: 4)")
    parser.add_argument("--warm-up", type=float, default=1, help="seconds of each load before it (default: 1)")
    parser.add_argument("--clients", type=int, default=4, help="at a time (default: 4)")
    parser.add_argument("--threads", type=int, default=8, help="of the servers (default: 8)")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--client-core", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="for the order of servers in each round (default: 1)")
    parser.add_argument("--page", type=Path, help="also put the table into this page, such as docs/performance.md")
    parser.add_argument("--json", type=Path, help="also write every sample to this file")
    return parser.parse_args()


def main() -> int:
    """Measure, print the table; 1 if a server was left out or a request failed."""
    options, before = arguments(), facts()
    with tempfile.TemporaryDirectory() as folder:
        rounds, commands = rounds_of(options, certificate(Path(folder)))
    if not commands:
        return 1
    text = f"{table(rounds)}\n\nMedian (least-greatest), {options.rounds} rounds of {options.seconds:g} s for each, "
    text += f"{options.clients} clients (Python, {ssl.OPENSSL_VERSION}), server on core {options.server_core}, "
    text += f"clients on core {options.client_core}, {options.threads} threads, {KEY}; ratios pairwise per round.\n"
    text += f"{conditions(before)}\n"
    lines = [f"* {name}: `{line}`\n" for name, line in commands.items()]
    sys.stdout.write(f"{text}\n{''.join(lines)}")
    if options.page:
        put(options.page, "tls", text)
    if options.json:
        options.json.write_text(json.dumps({**before, "commands": commands, "rounds": rounds}, indent=1) + "\n")
    failed = any(sample["failed"] for one in rounds for loads in one.values() for sample in loads.values())
    return 1 if failed or len(commands) < len(options.servers.split(",")) else 0


if __name__ == "__main__":
    sys.exit(main())

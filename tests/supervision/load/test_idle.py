"""A server that nobody asks makes no system call: each process sleeps until there is something to do."""

import re
import signal
import subprocess
from collections import defaultdict
from contextlib import ExitStack, suppress
from itertools import pairwise
from pathlib import Path

from tests.supervision.load.clients import Load
from tests.supervision.load.conftest import Tool
from tests.supervision.load.processes import children
from tests.supervision.load.site import served, write_site
from tests.supervision.load.waiting import until
from wsgiraw.strategies import STRATEGIES

WATCHED = 10.0
"""Seconds."""
SETTLING = 0.5
"""Seconds after strace has attached: being stopped for that ends a wait, which is then begun anew."""


def test_idle(tmp_path: Path, needs: Tool) -> None:
    """All strategies at the same time: it is long enough once."""
    needs("strace", "-f", "true")
    masters = []
    with ExitStack() as servers:
        for strategy in STRATEGIES:
            folder = tmp_path / strategy
            folder.mkdir()
            write_site(folder)
            arguments = ("--port=0", "--workers=2", f"--strategy={strategy}")
            masters.append(servers.enter_context(served(folder, *arguments)))
        ports = [process.port() for process in masters]
        with ExitStack() as clients:
            loads = [clients.enter_context(Load(("127.0.0.1", port), kept=10, single=10)) for port in ports]
            until(lambda: min(load.answered for load in loads) >= 50, "each has answered")
        workers = {child for process in masters for child in children(process.pid)}
        assert len(workers) == 2 * len(masters)
        calls = watch(tmp_path / "calls", [*(process.pid for process in masters), *workers])
        numbers = {process.pid for process in masters}
        assert {who: calls[who] for who in set(calls) - numbers} == {}
        for number in numbers:
            assert moments(calls[number]) <= WATCHED + 1
        for process in masters:
            process.signal(signal.SIGTERM)
        assert [process.wait() for process in masters] == [0] * len(masters)


def watch(output: Path, pids: list[int]) -> dict[int, list[float]]:
    """Return when each thread has completed system calls in the time."""
    attach = [argument for pid in pids for argument in ("-p", str(pid))]
    with subprocess.Popen(
        ["strace", "-f", "-ttt", "-o", str(output), *attach], stderr=subprocess.PIPE, text=True
    ) as strace:
        assert strace.stderr is not None
        try:
            for _ in pids:
                assert "attached" in strace.stderr.readline()
            with suppress(subprocess.TimeoutExpired):
                strace.wait(2 * SETTLING + WATCHED)
            assert strace.poll() is None
        finally:
            strace.send_signal(signal.SIGINT)
    rows = [re.match(r"(\d+) +(\d+\.\d+) (.*)", line) for line in output.read_text().splitlines()]
    found = [(int(row[1]), float(row[2]), row[3]) for row in rows if row]
    begin = min(when for _, when, _ in found) + SETTLING
    calls = defaultdict(list)
    for thread, when, what in found:
        if begin <= when < begin + WATCHED and "<detached" not in what:
            calls[thread].append(when)
    return calls


def moments(times: list[float]) -> int:
    """Return how often a process has woken up: calls within 50 ms belong together."""
    return sum(later - earlier > 0.05 for earlier, later in pairwise([0.0, *times]))

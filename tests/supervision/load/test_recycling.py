"""Workers that are replaced without being asked: after so many requests, too large, or stuck."""

import asyncio
from pathlib import Path

from tests.supervision.load.clients import Load
from tests.supervision.load.connection import Lost, ask
from tests.supervision.load.processes import children
from tests.supervision.load.site import served, write_site
from tests.supervision.load.waiting import until

NOTES = """
import os

def _note(event):
    def hook(worker):
        with open("events", "a") as events:
            events.write(f"{event} {os.getpid()}\\n")
    return hook

ready, leaving = _note("ready"), _note("leaving")
"""


def test_max_requests_loses_nothing(folder: Path, strategy: str) -> None:
    """Each worker says when it is ready and when it leaves; from the first on, there is always one between the two."""
    (folder / "notes.py").write_text(NOTES)
    options = ("--max-requests=500", "--max-requests-jitter=200", "--worker-ready=notes:ready")
    with served(
        folder, "--port=0", "--workers=2", f"--strategy={strategy}", *options, "--worker-exit=notes:leaving"
    ) as process:
        with Load(("127.0.0.1", process.port()), pause=0.1) as load:
            until(lambda: len(load.pids) >= 8, "many processes have answered")
            until(lambda: len(children(process.pid)) == 2, "two workers are left")
            before_the_stop = (folder / "events").read_text().splitlines()
        assert process.stop() == 0
    assert load.lost == []
    there = 0
    for number, line in enumerate(before_the_stop):
        there += 1 if line.startswith("ready") else -1
        assert there >= 1, before_the_stop[: number + 1]


GROWS = """
HELD = []

def swell():
    HELD.append(bytes(range(256)) * (200 * 2**20 // 256))
"""


def test_a_worker_that_is_too_large_is_replaced(folder: Path) -> None:
    write_site(folder, before=GROWS, when={"/swell": "swell()"})
    with served(folder, "--port=0", "--workers=2", "--max-rss=150M") as process:
        address = ("127.0.0.1", process.port())
        with Load(address, kept=20, single=20) as load:
            load.settle()
            pid = asyncio.run(ask(address, "/swell")).pid
            until(lambda: pid not in children(process.pid), "it is replaced")
            until(lambda: len(children(process.pid) & load.pids) == 2, "its successor answers")
            load.settle()
        assert process.stop() == 0
    assert load.lost == []


STICKS = """
def stuck_for_ever():
    while True:
        time.sleep(0.01)
"""


def test_a_worker_whose_loop_no_longer_turns_is_replaced(folder: Path) -> None:
    write_site(folder, before=STICKS, when={"/stick": "stuck_for_ever()"})
    with served(folder, "--port=0", "--workers=2", "--strategy=eventloop", "--loop-timeout=1") as process:
        address = ("127.0.0.1", process.port())

        async def stick() -> str:
            try:
                await ask(address, "/stick")
            except Lost as lost:
                return str(lost)
            return "answered"

        asyncio.run(ask(address, "/ready"))
        before = children(process.pid)
        assert asyncio.run(stick()) != "answered"
        process.line(r"\bin stuck_for_ever\b|stuck_for_ever")
        until(lambda: len((now := children(process.pid)) & before) == 1 and len(now) == 2, "it is replaced")
        asyncio.run(ask(address, "/after"))
        assert process.stop() == 0

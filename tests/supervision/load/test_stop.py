"""SIGTERM under load: whoever has been let in is answered."""

import asyncio
import signal
import socket
from pathlib import Path

import pytest

from tests.process import Process
from tests.strategies.applications import GET, read_reply
from tests.supervision.load.clients import Load
from tests.supervision.load.connection import Address, Connection, Lost, ask
from tests.supervision.load.processes import children
from tests.supervision.load.site import DEFAULT, served
from tests.supervision.load.waiting import until
from tests.wire import PATIENCE

IN_FLIGHT, CONNECTING = 50, 50


async def _storm(process: Process, address: Address, folder: Path) -> list[str]:
    """Have requests in flight, connect more clients around the moment of SIGTERM; return what was lost."""
    attempts: list[asyncio.Task[Connection]] = []

    async def connect_and_ask(path: str) -> None:
        attempt = asyncio.create_task(Connection.to(address))
        attempts.append(attempt)
        try:
            connection = await attempt
        except (Lost, asyncio.CancelledError):
            return  # never let in
        try:
            await connection.ask(path, keep=False)
        finally:
            connection.close()

    clients = [asyncio.create_task(ask(address, f"/gated/{number}")) for number in range(IN_FLIGHT)]
    while not (folder / "entered").exists():
        await asyncio.sleep(0.001)
    for number in range(CONNECTING):
        clients.append(asyncio.create_task(connect_and_ask(f"/late/{number}")))
        if number == CONNECTING // 2:
            process.signal(signal.SIGTERM)
        if number % 5 == 0:
            await asyncio.sleep(0)  # let those connect
    (folder / "gate").touch()
    await asyncio.to_thread(process.popen.wait, PATIENCE)
    for _ in range(3):
        await asyncio.sleep(0)  # whoever was let in at the last moment learns of it
    for attempt in attempts:
        attempt.cancel()  # there is nobody any more who could let them in
    outcomes = await asyncio.gather(*clients, return_exceptions=True)
    return [str(outcome) for outcome in outcomes if isinstance(outcome, BaseException)]


@pytest.mark.parametrize(("workers", "times"), [(2, 20), (1, 4), (0, 4)])
def test_nothing_that_was_let_in_is_lost(folder: Path, strategy: str, workers: int, times: int) -> None:
    if strategy != DEFAULT:
        times = min(times, 4)
    lost = []
    for _ in range(times):
        for name in ("gate", "entered"):
            (folder / name).unlink(missing_ok=True)
        with served(folder, "--port=0", f"--workers={workers}", f"--strategy={strategy}") as process:
            lost.append(asyncio.run(_storm(process, ("127.0.0.1", process.port()), folder)))
            assert process.wait() == 0
            assert not any("Traceback" in line for line in process.lines)
    assert lost == [[]] * times


def test_drain_delay(folder: Path) -> None:
    """Told to stop, it says so to whoever asks for its health, and goes on until balancers have noticed."""
    with served(folder, "--port=0", "--workers=2", "--drain-delay=2", "--health-path=/healthy") as process:
        port = process.port()

        def once(path: bytes) -> tuple[int, str | None]:
            with process.connect(port) as client, client.makefile("rb") as stream:
                client.sendall(GET.replace(b"/", path, 1))
                reply = read_reply(stream)
            return reply.status, reply.field("connection")

        assert once(b"/healthy")[0] == 200
        assert once(b"/") == (200, None)
        with Load(("127.0.0.1", port), kept=20, single=20) as load:
            load.settle()
            load.phase = "draining"
            process.signal(signal.SIGTERM)
            until(lambda: once(b"/healthy")[0] == 503, "its health says no")
            until(lambda: once(b"/") == (200, "close"), "new connections are told to close")
            assert process.wait() == 0
            load.finish()
    assert [failure for failure in load.lost if failure.what != "connecting: Connection refused"] == []


def test_a_second_sigterm_drops_what_is_in_flight(folder: Path, strategy: str) -> None:
    options = ("--port=0", "--workers=2", f"--strategy={strategy}", "--graceful-timeout=3600")
    with served(folder, *options) as process, process.connect(process.port()) as client:
        client.sendall(GET.replace(b"/", b"/gated/", 1))
        until((folder / "entered").exists, "the request runs")
        process.signal(signal.SIGTERM)
        until(lambda: len(children(process.pid)) == 1, "the worker that has nothing to do is gone")
        assert process.popen.poll() is None
        process.signal(signal.SIGTERM)
        assert process.wait() == 0
        assert dropped(client)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_at_once(folder: Path, strategy: str, number: int) -> None:
    options = ("--port=0", "--workers=2", f"--strategy={strategy}", "--graceful-timeout=3600")
    with served(folder, *options) as process, process.connect(process.port()) as client:
        client.sendall(GET.replace(b"/", b"/gated/", 1))
        until((folder / "entered").exists, "the request runs")
        workers = children(process.pid)
        process.signal(number)
        assert process.wait() == 0
        assert dropped(client)
        assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def dropped(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True

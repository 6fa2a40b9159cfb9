"""SIGHUP under load: new workers before old ones go, and a mistake changes nothing."""

import asyncio
import signal
import socket
from pathlib import Path

import pytest

from tests.process import Process
from tests.supervision.load.clients import Load
from tests.supervision.load.connection import Address, Lost, ask
from tests.supervision.load.processes import children
from tests.supervision.load.site import DEFAULT, served, write_site
from tests.supervision.load.waiting import until

TIMES, FEWER = 20, 5


def reload(process: Process, load: Load) -> None:
    """Reload; return once two workers that were not there before have answered."""
    before = children(process.pid)
    process.signal(signal.SIGHUP)
    until(lambda: len((load.pids & children(process.pid)) - before) == 2, f"two new workers answer, {load.phase}")


def test_reloads_lose_nothing(folder: Path, strategy: str) -> None:
    """While some generations still finish what they are at, the next is asked for."""
    times = TIMES if strategy == DEFAULT else FEWER
    with served(folder, "--port=0", "--workers=2", f"--strategy={strategy}") as process:
        with Load(("127.0.0.1", process.port())) as load:
            load.settle()
            for number in range(times):
                load.phase = f"reload {number}"
                write_site(folder, version=f"2.{number}")
                reload(process, load)
            until(lambda: len(children(process.pid)) == 2, "the last generation is alone")
            last = children(process.pid)
            load.phase = "after the last"
            load.settle()
        assert process.stop() == 0
    assert load.lost == []
    assert len(load.pids) >= 2 * (times + 1)
    assert set(load.versions) == {"1", *(f"2.{number}" for number in range(times))}
    assert last <= load.pids


def test_an_application_that_no_longer_imports_changes_nothing(folder: Path, strategy: str) -> None:
    with served(folder, "--port=0", "--workers=2", f"--strategy={strategy}") as process:
        with Load(("127.0.0.1", process.port())) as load:
            load.settle()
            before = children(process.pid)
            load.phase = "broken"
            write_site(folder, version="2", before="import module_that_is_not_there\n")
            process.signal(signal.SIGHUP)
            process.line("module_that_is_not_there")
            load.settle()
            until(lambda: children(process.pid) == before, "the old workers are alone again")
            load.settle()
            assert set(load.versions) == {"1"}
            load.phase = "repaired"
            write_site(folder, version="3")
            reload(process, load)
            until(lambda: len(children(process.pid)) == 2, "the new workers are alone")
            load.settle()
        assert process.stop() == 0
    assert load.lost == []
    assert set(load.versions) == {"1", "3"}


# Configuration


def write_configuration(folder: Path, *addresses: str) -> None:
    bind = ", ".join(f'"{address}"' for address in addresses)
    (folder / "wsgiraw.toml").write_text(f"workers = 2\nbind = [{bind}]\n")


def answers(address: Address) -> bool:
    try:
        asyncio.run(ask(address, "/once"))
    except Lost:
        return False
    return True


@pytest.fixture
def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_addresses_come_and_go(folder: Path, free_port: int) -> None:
    first, second = ("127.0.0.1", free_port), str(folder / "second")
    write_configuration(folder, f"127.0.0.1:{free_port}")
    with served(folder) as process:
        assert process.port() == free_port
        with Load(first, kept=20, single=20) as load:
            load.settle()
            load.phase = "an address more"
            write_configuration(folder, f"127.0.0.1:{free_port}", f"unix:{second}")
            process.signal(signal.SIGHUP)
            until(lambda: answers(second), "the new address answers")
            load.settle()
            load.phase = "a file that is broken"
            until(lambda: len(children(process.pid)) == 2, "the old workers have gone")
            before = children(process.pid)
            (folder / "wsgiraw.toml").write_text("workers = = 2\n")
            process.signal(signal.SIGHUP)
            process.line(r"wsgiraw\.toml is not TOML")
            load.settle()
            assert answers(second)
            load.phase = "an address that cannot be had"
            write_configuration(folder, f"127.0.0.1:{free_port}", f"unix:{second}", "unix:/proc/no/socket")
            process.signal(signal.SIGHUP)
            process.line("/proc/no/socket")
            load.settle()
            assert answers(second)
            assert children(process.pid) == before
        assert load.lost == []
        with Load(second, kept=20, single=20) as load:
            load.settle()
            load.phase = "an address less"
            write_configuration(folder, f"unix:{second}")
            process.signal(signal.SIGHUP)
            until(lambda: not answers(first), "the old address is gone")
            load.settle()
        assert load.lost == []
        assert process.stop() == 0
    assert not Path(second).exists()


def test_the_number_of_workers_changes(folder: Path) -> None:
    configuration = folder / "wsgiraw.toml"
    configuration.write_text("workers = 1\nport = 0\n")
    with served(folder) as process:
        with Load(("127.0.0.1", process.port()), kept=20, single=20) as load:
            load.settle()
            for workers in (3, 1):
                load.phase = f"{workers} workers"
                configuration.write_text(f"workers = {workers}\nport = 0\n")
                before = children(process.pid)
                process.signal(signal.SIGHUP)
                until(
                    lambda before=before, workers=workers: (
                        not before & children(process.pid) and len(children(process.pid)) == workers
                    ),
                    load.phase,
                )
                load.settle()
        assert process.stop() == 0
    assert load.lost == []

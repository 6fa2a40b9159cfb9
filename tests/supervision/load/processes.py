"""What the kernel says of processes and their connections, read from /proc."""

import os
import signal
from pathlib import Path

from tests.supervision.load.waiting import until

__all__ = ["alive", "children", "held_ports", "pause", "state"]


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on; none if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def state(pid: int) -> str:
    """Return the letter of a process's state, such as S, T or Z; empty if there is none."""
    return "".join(_stat(pid)[:1])


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    return state(pid) not in ("", "Z", "X")


def children(pid: int) -> set[int]:
    """Return the children of a process, zombies included."""
    found = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return {child for child in found if _stat(child)[1:2] == [str(pid)]}


def pause(pid: int) -> None:
    """Stop a process; return once all of its threads stand still."""
    os.kill(pid, signal.SIGSTOP)
    threads = Path(f"/proc/{pid}/task")  # each has a /proc/TID of its own, which only does not show in a listing
    until(lambda: all(state(int(thread.name)) == "T" for thread in threads.iterdir()), f"{pid} stands still")


def held_ports(pid: int) -> set[int]:
    """Return the clients' ports of the TCP connections that a process holds."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:  # closed meanwhile
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(row[2].rpartition(":")[2], 16) for row in rows if row[9] in inodes}

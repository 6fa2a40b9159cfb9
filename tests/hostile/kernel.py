"""What the kernel says of a process and of connections: memory, time, who is accepted and who waits; from /proc."""

import os
import re
from pathlib import Path

__all__ = ["accepted", "forget_peak", "peak", "processor_time", "queued", "resident"]

_ESTABLISHED, _LISTENING = "01", "0A"


def _status(pid: int, name: str) -> int:
    match = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert match is not None
    return int(match[1]) * 1024


def resident(pid: int) -> int:
    """Return how much memory a process uses, bytes."""
    return _status(pid, "VmRSS")


def peak(pid: int) -> int:
    """Return how much memory a process has used at most, bytes."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> int:
    """Let the memory that a process uses now be the most it has used; return that, bytes."""
    Path(f"/proc/{pid}/clear_refs").write_text("5\n")
    return peak(pid)


def processor_time(pid: int) -> float:
    """Return how long a process has computed, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _connections(port: int) -> list[tuple[str, bool]]:
    """Return for each connection to a port that listens its state, and whether a process holds it."""
    rows = re.findall(
        rf"^ *\d+: [0-9A-F]+:{port:04X} \S+ (..) \S+ \S+ \S+ +\d+ +\d+ (\d+)",
        Path("/proc/net/tcp").read_text(),
        re.MULTILINE,
    )
    return [(state, inode != "0") for state, inode in rows if state != _LISTENING]


def accepted(port: int) -> int:
    """Return how many connections to a port a process holds."""
    return sum(held for _, held in _connections(port))


def queued(port: int) -> int:
    """Return how many connections to a port have not been accepted."""
    return sum(not held for state, held in _connections(port) if state == _ESTABLISHED)

"""All processes of a server that we have started, however they were made, and their end. It starts none.

A server is the leader of a session of its own, and in its environment stands a mark that nobody else has. Its processes
are those of its session, those that have the mark, and the children of both: what makes itself a daemon leaves the
session but keeps its environment; what writes its title over its environment stays in the session. What has left both
is found while its parent lives, and so it is `held` before anybody is told to end. To be a subreaper (prctl(2)) would
find them all, but for our whole process, and orphans of others would become ours to reap.

Without /proc (macOS) only the process group is ended.
"""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

__all__ = ["MARK", "end_all", "end_held", "held", "members"]

MARK = "_WSGIRAW_COMPARE_RUN"
"""The variable in the environment of a server."""

_PROC = Path("/proc")
_END_SECONDS = 5.0
"""How long processes may take to end that were killed: more only where the kernel holds them."""


class _Process(NamedTuple):
    pid: int
    parent: int
    session: int


def members(leader: int, mark: str) -> list[int]:
    """Return the processes of the session of `leader`, of those with a mark, and of their children; no zombies.

    A leader of 0 is none. It reads the environment of each process of ours, which takes milliseconds in all.
    """
    entry = f"{MARK}={mark}".encode()
    processes = _processes()
    found = {
        process.pid
        for process in processes
        if (leader and process.session == leader) or entry in _environment(process.pid).split(b"\0")
    }
    found.discard(os.getpid())
    while more := {process.pid for process in processes if process.parent in found} - found:
        found |= more
    return sorted(found)


def end_all(leader: int, mark: str) -> bool:
    """Kill all processes that are left; return whether they have ended. The leader is not reaped."""
    end = time.monotonic() + _END_SECONDS
    if not _PROC.joinpath("self").exists():
        with suppress(ProcessLookupError, PermissionError):
            if leader:
                os.killpg(leader, signal.SIGKILL)
        return True
    # Again until there is none: one that makes others could have made another meanwhile.
    while left := members(leader, mark):
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def held(pids: Iterable[int]) -> list[int]:
    """Return a descriptor of each process, which never means another that gets its number (pidfd_open(2))."""
    found = []
    for pid in pids:
        with suppress(OSError, AttributeError):  # it has ended, or the kernel or Python has none
            found.append(os.pidfd_open(pid))
    return found


def end_held(descriptors: Iterable[int]) -> None:
    """Kill those that have not ended, and close the descriptors."""
    for descriptor in descriptors:
        with suppress(OSError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        os.close(descriptor)


def _processes() -> list[_Process]:
    found = []
    for folder in _PROC.iterdir() if _PROC.joinpath("self").exists() else ():
        if folder.name.isdigit():
            # The name in parentheses may hold anything; behind it: state, parent, group, session (proc(5)).
            with suppress(OSError, ValueError):
                state, parent, _, session = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:4]
                if state not in "ZX":
                    found.append(_Process(int(folder.name), int(parent), int(session)))
    return found


def _environment(pid: int) -> bytes:
    """Its environment as it was when it was started; nothing where it is another user's, or has ended."""
    try:
        return (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return b""

"""Workers that are stuck or have grown too large, found without asking them: in shared memory, and at the kernel."""

import os
from pathlib import Path

from wsgiraw.strategies.prefork.flock import Member
from wsgiraw.strategies.pulse import TURNS, WAITING

__all__ = ["resident", "stuck"]


def stuck(member: Member, now: float) -> bool:
    """Take note of a worker's pulse; return whether it has had none for longer than `loop_timeout`.

    A loop that waits is well. One that has never shown a pulse says nothing about itself, once it is ready.
    """
    timeout = member.generation.config.loop_timeout
    waiting, turns = member.row[WAITING], member.row[TURNS]
    if waiting or turns != member.turns or (member.ready is not None and not turns):
        member.turns, member.turned = turns, now
    return 0 < timeout < now - member.turned


def resident(pid: int) -> int:
    """Return the octets of memory that a process holds; 0 where the system does not say (proc(5))."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0

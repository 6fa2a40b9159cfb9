"""What a process that serves tells its master: that it is ready, that its loop turns, how much room it has.

Four numbers in memory that both can see; each has one writer, and writing one is an assignment, no system call. Without
a master nobody reads them.
"""

from array import array
from collections.abc import Callable, MutableSequence

__all__ = ["CELLS", "ROOM", "TURNS", "WAITING", "Pulse"]

WAITING, TURNS, ROOM = range(3)
CELLS = 3
"""Numbers that a pulse has, each of 8 octets without a sign:

`WAITING` is 1 while the loop waits for something to do, `TURNS` counts how often it has found something, `ROOM` is how
many more requests the process could run right now.
"""


def _unheard(message: str) -> None:
    pass


def _alone() -> bool:
    return False


class Pulse:
    """The numbers of this process, and a word to the master."""

    def __init__(
        self,
        cells: MutableSequence[int] | None = None,
        tell: Callable[[str], None] = _unheard,
        others_have_room: Callable[[], bool] = _alone,
    ) -> None:
        """`cells` are `CELLS` numbers; `tell` sends the master a line; by default nobody listens."""
        self.cells: MutableSequence[int] = array("Q", [0] * CELLS) if cells is None else cells
        self._tell = tell
        self.others_have_room = others_have_room
        """Whether another process of the same master could run a request at once."""

    def ready(self) -> None:
        """Say that the loop is about to turn: the application is imported, connections are accepted from now on."""
        self._tell("ready")

    def retire(self, reason: str) -> None:
        """Ask to be replaced. The master tells us to stop once a successor is ready."""
        self._tell(f"retire {reason}")

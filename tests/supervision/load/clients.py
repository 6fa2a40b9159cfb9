"""A steady load from many clients at once, in a thread of its own: what went wrong, when, and who has answered.

Half of the clients keep their connection, half have a new one for each request. Each sends a request, checks every
octet of the answer, pauses, and sends the next; the answer names the process that gave it (`load.site`).

What counts as a failure: a refused or reset connection, one that ends within an answer or without one, wrong octets,
any status but 200, and no answer in time. Not a failure: a kept connection that the server ends in an orderly way while
nothing has been sent on it. A request on a kept connection that ends without a single octet in return is sent again on
a new one, as RFC 9112 §9.3.1 lets clients do, and listed apart in `retried`. It is lost if the connection had been
silent for no longer than a server that is to stop waits for silent clients; on a busy machine ours may be later.
"""

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass
from threading import Thread
from types import TracebackType
from typing import Self

from tests.supervision.load.connection import Address, Answer, Connection, Lost
from tests.supervision.load.waiting import until
from wsgiraw.strategies.timeouts import LAST

__all__ = ["Failure", "Load"]


@dataclass(frozen=True)
class Failure:
    """What went wrong, where and when."""

    phase: str
    """What the test was doing."""
    what: str
    path: str
    port: int
    """The client's; 0 where it did not get as far, and for unix sockets."""
    began: float
    """When the connection was asked for, monotonic seconds."""
    after: int
    """Requests answered on this connection before."""
    silence: float = 0.0
    """Seconds between that request and the one before, on a connection that had one."""


class Load:
    """The clients. As a context they are at work; at its end each finishes its request."""

    def __init__(self, address: Address, *, kept: int = 100, single: int = 100, pause: float = 0.2) -> None:
        """`pause` is how long a client rests between two requests on average, seconds."""
        self._address = address
        self._kept, self._single, self._pause = kept, single, pause
        self._stopping = False
        self._thread = Thread(target=lambda: asyncio.run(self._run()), name="load")
        self.phase = "at the start"
        """What the test is doing; goes into failures."""
        self.failures: list[Failure] = []
        self.retried: list[Failure] = []
        self.answers: Counter[int] = Counter()
        """How often each process has answered."""
        self.since: dict[int, float] = {}
        """When each process has first answered, monotonic seconds."""
        self.versions: Counter[str] = Counter()
        """How often each version of the application has answered."""

    @property
    def pids(self) -> Set[int]:
        """Processes that have answered."""
        return set(self.answers)

    def eldest(self, pids: Set[int]) -> int:
        """Return which of these processes was the first to answer."""
        return min(pids, key=lambda pid: self.since.get(pid, math.inf))

    @property
    def answered(self) -> int:
        """How many requests have been."""
        return sum(list(self.answers.values()))

    def more(self, count: int) -> None:
        """Wait until so many more requests have been answered."""
        goal = self.answered + count
        try:
            until(lambda: self.answered >= goal, f"{count} more answers")
        except AssertionError as error:
            raise AssertionError(f"{error}; what failed: {self.failures[:5]}") from None

    def settle(self) -> None:
        """Wait until so many requests have been answered that each client has had its turn about once."""
        self.more(self._kept + self._single)

    def finish(self) -> None:
        """Let each client finish its request, and go."""
        self._stopping = True
        self._thread.join()

    @property
    def lost(self) -> list[Failure]:
        """Every request that was not answered at the first attempt, although it came in time."""
        return self.failures + [failure for failure in self.retried if failure.silence <= LAST]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.finish()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as clients:
            for number in range(self._kept):
                clients.create_task(self._keep(f"/kept/{number}"))
            for number in range(self._single):
                clients.create_task(self._begin_anew(f"/single/{number}"))

    async def _rest(self) -> None:
        await asyncio.sleep(self._pause * random.uniform(0.5, 1.5))

    async def _begin_anew(self, name: str) -> None:
        """Be a client with a connection for each request."""
        count = 0
        while not self._stopping:
            await self._rest()
            await self._once(f"{name}/{count}")
            count += 1

    async def _once(self, path: str) -> None:
        connection = None
        try:
            connection = await Connection.to(self._address)
            self._count(await connection.ask(path, keep=False))
        except Lost as lost:
            self._note(self.failures, lost, path, connection)
        finally:
            if connection is not None:
                connection.close()

    async def _keep(self, name: str) -> None:
        """Be a client that keeps its connection as long as the server does."""
        count = 0
        while not self._stopping:
            await self._rest()
            connection = None
            try:
                connection = await Connection.to(self._address)
                while not self._stopping:
                    path = f"{name}/{count}"
                    count += 1
                    try:
                        answer = await connection.ask(path, keep=True)
                    except Lost as lost:
                        if not (lost.silent and connection.answered):
                            raise
                        self._note(self.retried, lost, path, connection)
                        await self._once(path)
                        break
                    self._count(answer)
                    if not answer.stays:
                        break
                    await self._rest()
                    if connection.ended():
                        break
            except Lost as lost:
                self._note(self.failures, lost, f"{name}/{count}", connection)
            finally:
                if connection is not None:
                    connection.close()

    def _count(self, answer: Answer) -> None:
        self.since.setdefault(answer.pid, time.monotonic())
        self.versions[answer.version] += 1
        self.answers[answer.pid] += 1

    def _note(self, where: list[Failure], lost: Lost, path: str, connection: Connection | None) -> None:
        if connection is None:
            where.append(Failure(self.phase, str(lost), path, 0, 0.0, 0))
        else:
            where.append(
                Failure(
                    self.phase,
                    str(lost),
                    path,
                    connection.port,
                    connection.began,
                    connection.answered,
                    connection.silence,
                )
            )

"""The closed loop, for capacity: each connection sends a request, reads the whole answer, and sends the next.

Its rate is the server's. Of latency it says nothing: a server that stalls is simply asked less meanwhile.
"""

import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import cast

from wsgiraw.compare.generator.connections import BACK_OFF, EVENTS, Connection, Crowd
from wsgiraw.compare.generator.job import Job
from wsgiraw.compare.results import Load

__all__ = ["closed_loop"]


def closed_loop(job: Job, crowd: Crowd) -> Load:
    """Run it; it ends `job.patience` seconds after its time at the latest.

    An answer that arrives only when the time is over is `late`, unless it is wrong; one that never arrives is a
    `timeout`.
    """
    loop = _ClosedLoop(crowd)
    clients = [Connection() for _ in range(job.connections)]
    cpu, start = time.process_time(), time.perf_counter()
    loop.send(clients, start + job.seconds)
    took, cpu = time.perf_counter() - start, time.process_time() - cpu
    loop.wait(clients, start + job.seconds + job.patience)
    return Load(
        seconds=took,
        answered=loop.answered,
        connections=crowd.opened,
        errors=dict(loop.errors),
        generator_busy=cpu / took,
        late=loop.late,
    )


class _ClosedLoop:
    """What has been counted so far."""

    def __init__(self, crowd: Crowd) -> None:
        self.answered = self.late = 0
        self.errors: Counter[str] = Counter()
        self._crowd = crowd
        self._resting = deque[tuple[float, Connection]]()
        """Connections that failed, and when they try again."""

    def send(self, clients: Sequence[Connection], end: float) -> None:
        """Keep each client asking until then."""
        crowd, resting, clock = self._crowd, self._resting, time.perf_counter
        poll, ask, take = crowd.epoll.poll, crowd.ask, crowd.take
        connections = cast(dict[int, Connection], crowd.by_descriptor)  # a Watch never gets beyond recv
        now = clock()
        for connection in clients:
            self._ask(connection, now)
        while now < end:
            # No look at the clock per answer; all that is needed for the usual one is in this loop.
            for descriptor, _ in poll(BACK_OFF if resting else end - now, EVENTS):
                connection = connections[descriptor]
                try:
                    data = connection.recv(connection.room)
                except OSError as error:
                    fault = crowd.trouble(connection, error)
                else:
                    if data == connection.known:
                        connection.used = True
                        fault = ""
                    else:
                        fault = take(connection, data)
                if fault is None:
                    continue
                if fault:
                    self.errors[fault] += 1
                    if connection.socket is None and not connection.used:
                        resting.append((now + BACK_OFF, connection))
                        continue
                else:
                    self.answered += 1
                if fault := ask(connection):
                    self.errors[fault] += 1
                    resting.append((now + BACK_OFF, connection))
            now = clock()
            while resting and resting[0][0] <= now:
                self._ask(resting.popleft()[1], now)

    def _ask(self, connection: Connection, now: float) -> None:
        if fault := self._crowd.ask(connection):
            self.errors[fault] += 1
            self._resting.append((now + BACK_OFF, connection))

    def wait(self, clients: Sequence[Connection], end: float) -> None:
        """See to the answers to what has been sent."""
        crowd = self._crowd
        waiting = {connection for connection in clients if connection.answer is not None}
        while waiting and (left := end - time.perf_counter()) > 0:
            for descriptor, _ in crowd.epoll.poll(left, EVENTS):
                connection = cast(Connection, crowd.by_descriptor[descriptor])
                try:
                    data = connection.recv(connection.room)
                    fault = crowd.take(connection, data) if connection in waiting else ""
                except OSError as error:
                    fault = crowd.trouble(connection, error)
                if connection not in waiting:  # idle ones that speak, or end, are none of our concern any more
                    crowd.close(connection)
                elif fault is not None:
                    waiting.discard(connection)
                    if fault:
                        self.errors[fault] += 1
                    else:
                        self.late += 1
        if waiting:
            self.errors["timeout"] += len(waiting)

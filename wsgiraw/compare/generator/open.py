"""The open loop, for latency: requests at a steady rate, each timed from when it was meant to be sent.

The times are fixed beforehand, one every `1 / rate` seconds. A request whose time has come when all connections wait
for answers is sent as soon as one is free, and has waited since its time: a server that stalls is not asked less
(no "coordinated omission"). A request that fails has no latency; `percentiles.percentile` counts it as infinite. So is
one that is not answered, or could not even be sent, within `job.patience` seconds after the last: a `timeout`.

`epoll.poll` waits whole milliseconds. `select` waits for µs, so it waits for the epoll and the next time at once; and
the kernel, which would let us sleep 50 µs longer, is told not to by `__main__`. What waking up takes is slept less, and
the rest of it spent looking again: 50 µs of the core per request at most, for requests that are some µs late.
"""

import select
import time
from collections import Counter, deque

from wsgiraw.compare.generator.connections import BACK_OFF, EVENTS, Connection, Crowd, Watch
from wsgiraw.compare.generator.histogram import Histogram
from wsgiraw.compare.generator.job import Job
from wsgiraw.compare.results import Latency

__all__ = ["open_loop"]

_SECOND = 1_000_000_000
_BACK_OFF = int(BACK_OFF * _SECOND)
_STALLED_BACK_OFF = 10 * _BACK_OFF
_WAKING = 50_000
"""What waking up takes, about."""
_SETTLING = 0.5
"""Seconds that those who stall get to connect and to send, before the others come."""


def open_loop(job: Job, crowd: Crowd) -> Latency:
    """Run it; it ends `job.patience` seconds after its time at the latest."""
    assert job.rate is not None
    loop = _OpenLoop(job, crowd, job.rate)
    loop.stall()
    loop.connect()
    cpu, start = time.process_time(), time.perf_counter()
    loop.run()
    took, cpu = time.perf_counter() - start, time.process_time() - cpu
    return Latency(
        rate=job.rate,
        seconds=job.seconds,
        sent=loop.asked,
        answered=loop.histogram.total,
        errors=dict(loop.errors),
        histogram=loop.histogram.counts,
        generator_busy=cpu / took,
        stalled=job.stalled,
    )


class _OpenLoop:
    """What has been asked and answered so far. Times are nanoseconds of `perf_counter_ns`."""

    def __init__(self, job: Job, crowd: Crowd, rate: float) -> None:
        self.asked = 0
        self.errors: Counter[str] = Counter()
        self.histogram = Histogram()
        self._crowd = crowd
        self._job = job
        self._spacing = _SECOND / rate
        self._total = max(round(rate * job.seconds), 1)
        self._free = deque(Connection() for _ in range(job.connections))
        """Connections without a request, the one that has been idle for longest first: so all stay in use."""
        self._stalled = {Connection() for _ in range(job.stalled)}
        self._resting = deque[tuple[int, Connection]]()
        """Connections that failed, and when they may be used again."""
        self._stalled_again = deque[tuple[int, Connection]]()
        self._half = job.questions[0].variants[0].partition(b"\r\n\r\n")[0]
        self._half = self._half[: len(self._half) // 2]

    def stall(self) -> None:
        """Connect those who send half a head, and let them send it."""
        for connection in self._stalled:
            self._send_half(connection)
        end = time.perf_counter() + _SETTLING
        while any(connection.unsent for connection in self._stalled) and (left := end - time.perf_counter()) > 0:
            self._receive(self._crowd.epoll.poll(left, EVENTS))

    def connect(self) -> None:
        """Connect the others: only who comes anew waits for that in his time."""
        for connection in self._free:
            self._crowd.open(connection)

    def run(self) -> None:
        """Send all requests and wait for their answers."""
        crowd, free, resting, clock = self._crowd, self._free, self._resting, time.perf_counter_ns
        total, spacing = self._total, self._spacing
        wait, poller = select.select, [crowd.epoll.fileno()]
        start = clock()
        limit = start + int((self._job.seconds + self._job.patience) * _SECOND)
        everybody = len(free)
        while True:
            now = clock()
            while resting and resting[0][0] <= now:
                free.append(resting.popleft()[1])
            while self._stalled_again and self._stalled_again[0][0] <= now:
                self._send_half(self._stalled_again.popleft()[1])
            due = start + int(self.asked * spacing)
            while due <= now and free and self.asked < total:
                connection = free.popleft()
                connection.began = due
                self.asked += 1
                due = start + int(self.asked * spacing)
                if fault := crowd.ask(connection):
                    self.errors[fault] += 1
                    resting.append((now + _BACK_OFF, connection))
            waiting = everybody - len(free) - len(resting)
            if now >= limit or (self.asked == total and not waiting):
                break
            until = min(limit, due) if free and self.asked < total else limit
            for others in (resting, self._stalled_again):
                if others:
                    until = min(until, others[0][0])
            if wait(poller, (), (), max(until - clock() - _WAKING, 0) / _SECOND)[0]:
                self._receive(crowd.epoll.poll(0, EVENTS))
        if unanswered := waiting + total - self.asked:
            self.errors["timeout"] += unanswered

    def _receive(self, events: list[tuple[int, int]]) -> None:
        """Take what has arrived."""
        crowd, clock, record, free = self._crowd, time.perf_counter_ns, self.histogram.record, self._free
        for descriptor, _ in events:
            connection = crowd.by_descriptor[descriptor]
            try:
                data = connection.recv(connection.room)
            except OSError as error:
                assert not isinstance(connection, Watch)
                idle = connection.answer is None
                fault = crowd.trouble(connection, error)
            else:
                now = clock()
                assert not isinstance(connection, Watch)
                idle = connection.answer is None
                if idle:
                    self._idle(connection, data)
                    fault = None
                elif data == connection.known:
                    connection.used = True
                    connection.answer = connection.known = None
                    fault = ""
                else:
                    fault = crowd.take(connection, data)
            if idle:
                if connection.socket is None and connection in self._stalled:
                    self._stalled_again.append((clock() + _STALLED_BACK_OFF, connection))
            elif fault == "":
                record((now - connection.began) // 1000)
                free.append(connection)
            elif fault:
                self.errors[fault] += 1
                if connection.socket is None and not connection.used:
                    self._resting.append((clock() + _BACK_OFF, connection))
                else:
                    free.append(connection)

    def _idle(self, connection: Connection, data: bytes) -> None:
        """Somebody is spoken to, or left, who has not asked: a server may do so to those who stall or are idle."""
        # Some say 408 to who is idle before they close (RFC 9110 §15.5.9).
        if data and connection not in self._stalled and not data.startswith((b"HTTP/1.1 408 ", b"HTTP/1.0 408 ")):
            self.errors["malformed"] += 1
        self._crowd.close(connection)

    def _send_half(self, connection: Connection) -> None:
        fault = self._crowd.open(connection) or self._crowd.transmit(connection, self._half)
        if fault:
            self._stalled_again.append((time.perf_counter_ns() + _STALLED_BACK_OFF, connection))

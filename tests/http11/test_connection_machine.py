"""A connection that octets arrive on and requests are taken from in any order, against the model of `tests.fuzz`."""

from io import BytesIO

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.fuzz.agreement import check, expected
from tests.fuzz.model import judge
from tests.fuzz.verdict import End
from tests.http11.octets import LIMITS, REQUESTS, SPLICED
from tests.http11.outcome import Outcome, Seen, cut, seen
from wsgiraw.errors import HTTPError
from wsgiraw.http11 import Connection, Limits, State

WAITING = {
    End.BETWEEN: (State.IDLE,),
    End.INCOMPLETE: (State.HEAD, State.BODY),
    End.CLOSED: (State.CLOSED,),
}
"""What a connection waits for when all requests are answered, by what the model says about the octets so far."""


class ConnectionMachine(RuleBasedStateMachine):
    """What a strategy may do with a connection: give it octets or their end, and ask for the next request."""

    @initialize(limits=st.sampled_from([LIMITS, Limits()]))
    def connect(self, limits: Limits) -> None:
        """A new client."""
        self.limits = limits
        self.connection = Connection(limits, BytesIO)
        self.received = b""
        self.requests: list[Seen] = []
        self.status: int | None = None
        self.asked = False
        """Nothing has arrived since the connection said that it waits for more."""
        self.continues = 0

    def is_open(self) -> bool:
        """Whether the client may still send."""
        return self.connection.state is not State.CLOSED and not self.connection.ended

    @precondition(is_open)
    @rule(octets=st.one_of(REQUESTS, st.lists(REQUESTS, max_size=4).map(b"".join), SPLICED), data=st.data())
    def arrive(self, octets: bytes, data: st.DataObject) -> None:
        """Octets arrive, in pieces, and what they complete is or is not asked for in between."""
        for piece in cut(octets, *data.draw(st.lists(st.integers(0, len(octets)), max_size=3))):
            self.receive(piece)
            for _ in range(data.draw(st.integers(0, 2))):
                self.take_one()

    @precondition(is_open)
    @rule()
    def end(self) -> None:
        """The client has sent its last octet."""
        self.connection.receive(b"")
        self.asked = False

    def receive(self, octets: bytes) -> None:
        """What arrives behind the end is of no account."""
        if self.connection.state is not State.CLOSED:
            self.connection.receive(octets)
            self.received += octets
            self.asked = False

    @rule()
    def take_one(self) -> None:
        """The response to the last request has been sent; the next one is taken, if there is one."""
        try:
            request = self.connection.next_request()
        except HTTPError as error:
            assert self.status is None, "a second refusal"
            self.status = error.status.value
            request = None
        if request is not None:
            self.requests.append(seen(request))
            self.continues = 0
            return
        self.asked = True
        if self.connection.takes_continue():
            assert self.connection.state is State.BODY
            self.continues += 1
            assert self.continues == 1

    @rule()
    def take_all(self) -> None:
        """All that is complete is answered."""
        self.asked = False
        while not self.asked:
            self.take_one()

    @invariant()
    def as_the_model_says(self) -> None:
        """What has been taken is right; if no more can be taken, it is all, and the state says what is missing."""
        verdict = judge(self.received, self.limits)
        if self.connection.ended and self.asked:
            assert self.connection.state is State.CLOSED
            check(verdict, Outcome(self.requests, self.status))
        elif self.asked:
            assert self.requests == expected(verdict)
            if verdict.end is End.REFUSED:
                assert self.status in verdict.statuses
                assert self.connection.state is State.CLOSED
            else:
                assert self.status is None
                assert self.connection.state in WAITING[verdict.end]
        else:
            assert self.requests == expected(verdict)[: len(self.requests)]

    def teardown(self) -> None:
        """Whatever has happened, the end of the client's octets ends the connection."""
        if not hasattr(self, "connection"):
            return
        self.connection.receive(b"")
        self.take_all()
        self.as_the_model_says()
        self.connection.close()


def test_any_order_of_events() -> None:
    run_state_machine_as_test(
        ConnectionMachine, settings=settings(max_examples=150, stateful_step_count=12, deadline=None)
    )

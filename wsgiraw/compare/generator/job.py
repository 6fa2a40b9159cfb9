"""What a generator is to do, as it travels to its process: plain data, which becomes JSON and comes back."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle

from wsgiraw.compare.generator.answers import Answer, Expected
from wsgiraw.errors import ConfigError

__all__ = ["Job", "Question", "job_from_json"]


@dataclass(frozen=True, slots=True)
class Question:
    """A request and its right answer."""

    variants: Sequence[bytes]
    """Its octets, as several visitors send them, in turn."""
    status: int = 200
    body: bytes | None = None
    """What the body of the answer must be; None: any with the right framing."""

    @property
    def expected(self) -> Expected:
        """The answer."""
        return Expected(self.status, self.body, self.variants[0].startswith(b"HEAD "))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run against 127.0.0.1. Raises ConfigError where nothing is to be sent."""

    port: int
    questions: Sequence[Question]
    connections: int = 32
    seconds: float = 2.0
    """How long requests are sent."""
    rate: float | None = None
    """Requests per second of an open loop; None for a closed one."""
    stalled: int = 0
    """Further connections that have sent half a head and stay silent; in an open loop only."""
    patience: float = 5.0
    """Seconds for which answers are waited for once all has been sent."""

    def __post_init__(self) -> None:
        if not self.questions or not all(question.variants for question in self.questions):
            raise ConfigError("there is no request to send: give one")
        if self.connections < 1 or self.seconds <= 0 or (self.rate is not None and self.rate <= 0):
            raise ConfigError("a load has connections, seconds, and a rate above zero")

    def turn(self) -> Iterator[tuple[bytes, Answer]]:
        """Return all requests for ever: each question in turn, and with every turn the next variant of each."""
        answers = [Answer(question.expected) for question in self.questions]
        rounds = max(len(question.variants) for question in self.questions)
        return cycle(
            [
                (question.variants[number % len(question.variants)], answer)
                for number in range(rounds)
                for question, answer in zip(self.questions, answers, strict=True)
            ]
        )

    def to_json(self) -> bytes:
        """Return it as one line; octets become characters of the same numbers."""
        questions = [
            {
                "variants": [octets.decode("latin-1") for octets in question.variants],
                "status": question.status,
                "body": None if question.body is None else question.body.decode("latin-1"),
            }
            for question in self.questions
        ]
        return json.dumps({**asdict(self), "questions": questions}).encode() + b"\n"


def job_from_json(line: bytes) -> Job:
    """Return the job of such a line. Raises ConfigError, or KeyError, TypeError, ValueError where it is none."""
    value = json.loads(line)
    value["questions"] = [
        Question(
            [text.encode("latin-1") for text in question["variants"]],
            question["status"],
            None if question["body"] is None else question["body"].encode("latin-1"),
        )
        for question in value["questions"]
    ]
    return Job(**value)

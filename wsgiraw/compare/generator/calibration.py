"""How much load the generator can make at all, against a server that does next to nothing."""

from collections.abc import Set

from wsgiraw.compare.generator.job import Question
from wsgiraw.compare.generator.process import GeneratorFailed, generator, started
from wsgiraw.compare.generator.responder import BODY

__all__ = ["calibrate"]


def calibrate(
    *,
    connections: int = 32,
    seconds: float = 1.0,
    server_cores: Set[int] | None = None,
    cores: Set[int] | None = None,
) -> float:
    """Return the generator's ceiling: at how many requests per second it would have no time left.

    That is its rate against a constant responder, on other cores, by the share of its own that it used meanwhile: the
    responder is Python, too, and may be what limits the rate. Raises GeneratorFailed.
    """
    request = b"GET /add/2/3 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n"
    with (
        started("wsgiraw.compare.generator.responder", server_cores) as responder,
        generator(cores) as ours,
    ):
        assert responder.stdout is not None
        port = responder.stdout.readline()
        if not port:
            raise GeneratorFailed("the constant responder has not started")
        question = Question([request], body=BODY)
        load = ours.closed_loop(int(port), [question], connections=connections, seconds=seconds)
    if load.errors:
        raise GeneratorFailed(f"the constant responder was not understood: {load.errors}")
    return load.answered / load.seconds / min(load.generator_busy, 1.0)

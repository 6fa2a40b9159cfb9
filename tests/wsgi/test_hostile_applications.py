"""Applications that do what none should: each spoils its own response at most, never the server."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import Serve
from tests.wire import exchange, replies
from wsgiraw import Server

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc"
TEXT = [("Content-Type", "text/plain")]

Environ = dict[str, Any]
Start = Callable[..., Any]

kept: list[Any] = []


def exports_the_body(environ: Environ, start_response: Start) -> list[bytes]:
    kept.append(environ["wsgi.input"].getbuffer())
    start_response("200 OK", TEXT)
    return [b"kept"]


class NoClose(list[bytes]):
    """A body whose `close` cannot even be looked up."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def has_no_close(environ: Environ, start_response: Start) -> list[bytes]:
    start_response("200 OK", TEXT)
    return NoClose([b"kept"])


def still_serves(server: Server) -> bool:
    return replies(exchange(server, GET))[0].status in (200, 500)


@pytest.mark.parametrize("application", [exports_the_body, has_no_close])
def test_cleaning_up_fails(serve: Serve, application: Any) -> None:
    server = serve(application)
    try:
        (reply,) = replies(exchange(server, POST))
        assert (reply.status, reply.body) == (200, b"kept")
        assert still_serves(server)
    finally:
        kept.clear()


@pytest.mark.parametrize("where", ["call", "generator"])
def test_generator_exit_of_the_applications_own(serve: Serve, where: str) -> None:
    def application(environ: Environ, start_response: Start) -> Iterator[bytes] | list[bytes]:
        if where == "call":
            raise GeneratorExit

        def body() -> Iterator[bytes]:
            raise GeneratorExit
            yield b""

        start_response("200 OK", TEXT)
        return body()

    server = serve(application)
    (reply,) = replies(exchange(server, GET))
    assert reply.status == 500
    assert still_serves(server)


def test_write_after_the_application_has_returned(serve: Serve) -> None:
    writers: list[Callable[[bytes], object]] = []

    def application(environ: Environ, start_response: Start) -> Iterator[bytes] | list[bytes]:
        write = start_response("200 OK", [*TEXT, ("Content-Length", "2")])
        if environ["PATH_INFO"] == "/later":
            writers[0](b"of another response")
        writers.append(write)
        return [b"ok"]

    first, second = replies(exchange(serve(application), GET + GET.replace(b"/ ", b"/later ")))
    assert (first.status, first.body) == (200, b"ok")
    assert second.status == 500

"""Which answers are the right ones, and what is said of the others."""

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from wsgiraw import Server
from wsgiraw.compare.agreement import Answer, Expected, agree, compare
from wsgiraw.compare.requests import Wanted
from wsgiraw.compare.servers.process import ServerFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

HOME = Wanted("GET", "/")
TEXT = "text/plain"


def twice(body: bytes = b"hello", second: bytes | None = None, **more: Any) -> list[Answer]:
    """Both answers of a server to one request."""
    answer = {"status": 200, "content_type": TEXT, **more}
    return [Answer(body=body, **answer), Answer(body=body if second is None else second, **answer)]


def test_most_are_right() -> None:
    found = compare([HOME], {"odd": [twice(b"hullo")], "a": [twice()], "b": [twice()]})
    assert found.expected == [Expected(200, TEXT, b"hello", 5)]
    assert found.different == {"odd": "GET /: its body (5 bytes) has b'hullo' at 0, the others' (5 bytes) b'hello'"}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"status": 500}, "GET /: status 500, not 200"),
        ({"content_type": "text/html"}, "GET /: Content-Type 'text/html', not 'text/plain'"),
        ({"body": b"hello you"}, "GET /: its body (9 bytes) has b'hello you' at 0, the others' (5 bytes) b'hello'"),
        ({"second": b"hello you"}, "GET /: its body (9 bytes) has b'hello you' at 0, the others' (5 bytes) b'hello'"),
    ],
)
def test_what_differs_is_said(other: dict[str, Any], said: str) -> None:
    found = compare([HOME], {"a": [twice()], "odd": [twice(**other)], "b": [twice()]})
    assert found.different == {"odd": said}


def test_of_two_the_first_is_right() -> None:
    assert compare([HOME], {"a": [twice(b"1")], "b": [twice(b"2")]}).different.keys() == {"b"}


def test_what_was_asked_for_is_right() -> None:
    wanted = Wanted("GET", "/", expect=b"2")
    found = compare([wanted], {"a": [twice(b"1")], "b": [twice(b"1")], "c": [twice(b"2", content_type="text/html")]})
    assert found.expected == [Expected(200, "text/html", b"2", 1)]
    assert found.different.keys() == {"a", "b"}
    nobody = compare([wanted], {"a": [twice(b"1")]})
    assert nobody.expected == [Expected(200, TEXT, b"2", 1)]
    assert "--expect's (1 bytes) b'2'" in nobody.different["a"]


def test_a_body_that_differs_from_call_to_call_is_not_compared() -> None:
    found = compare([HOME], {"a": [twice(b"1", b"2")], "b": [twice(b"3", b"4")], "odd": [twice(b"", b"", status=500)]})
    assert found.expected == [Expected(200, TEXT, None, 1)]
    assert found.different == {"odd": "GET /: status 500, not 200"}
    assert found.remarks == [
        "the answer to GET / differs from call to call: only status, Content-Type and length are compared"
    ]
    assert compare([HOME], {"a": [twice(b"1", b"2")], "b": [twice(b"34", b"56")]}).different == {
        "b": "GET /: a body of 2 bytes, not 1"
    }
    unsteady = compare([HOME], {"a": [twice(b"9", b"10")], "b": [twice(b"11", b"12")]})
    assert unsteady.expected == [Expected(200, TEXT, None, None)]
    assert unsteady.different == {}


def test_several_requests_and_errors_of_all() -> None:
    requests = [HOME, Wanted("GET", "/missing")]
    missing = twice(b"no", status=404)
    found = compare(requests, {"a": [twice(), missing], "b": [twice(), missing], "odd": [twice(b""), twice(b"")]})
    assert [expected.status for expected in found.expected] == [200, 404]
    assert found.different["odd"].endswith("; and 1 more")
    assert found.remarks == ["the answer to GET /missing is an error: 404"]


def test_failures_are_right_only_where_all_fail() -> None:
    failing = [[twice(b"oops", status=500)], [twice(b"Oops!", status=500, content_type="text/html")]]
    assert compare([HOME], {"a": failing[0], "b": failing[0], "good": [twice()]}).different.keys() == {"a", "b"}
    all_fail = compare([HOME], {"a": failing[0], "b": failing[1]})
    assert all_fail.different == {}
    assert all_fail.remarks == ["the answer to GET / is an error: 500"]


def test_to_close_is_no_difference() -> None:
    closing = [Answer(200, TEXT, b"hello", False)] * 2
    found = compare([HOME], {"a": [twice()], "b": [closing], "c": [[closing[0], twice()[0]]]})
    assert found.different == {}
    assert found.notes == {
        "b": "closes the connection after each of its answers",
        "c": "closes the connection after some of its answers",
    }


def test_without_servers_nothing_is_known() -> None:
    assert compare([HOME], {}).expected == []


def saying(body: bytes, **more: str) -> "WSGIApplication":
    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
        start_response("200 OK", [("Content-Type", TEXT), *((name.title(), value) for name, value in more.items())])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return application


@contextmanager
def started(application: "WSGIApplication") -> Iterator[Any]:
    with Server(application, port=0, strategy="eventloop") as server:
        yield SimpleNamespace(port=server.port)


@contextmanager
def failing() -> Iterator[Any]:
    raise ServerFailed("it has ended")
    yield


def starts(**applications: "WSGIApplication") -> "dict[str, Callable[[], AbstractContextManager[Any]]]":
    return {name: lambda application=application: started(application) for name, application in applications.items()}  # type: ignore[misc]


def test_real_servers_are_asked() -> None:
    requests = [HOME, Wanted("HEAD", "/"), Wanted("POST", "/", (), b"body")]
    servers = starts(a=saying(b"5"), b=saying(b"5", connection="close"), odd=saying(b"6"))
    found = agree(requests, {**servers, "broken": failing})
    assert found.failed == {"broken": "it has ended"}
    assert found.different.keys() == {"odd"}
    assert found.notes == {"b": "closes the connection after each of its answers"}
    assert [expected.body for expected in found.expected] == [b"5", b"", b"5"]


def test_what_differs_from_start_to_start_says_nothing_of_a_server() -> None:
    numbers = itertools.count(10)
    made = {name: lambda: started(saying(b"%d" % next(numbers))) for name in "abc"}
    found = agree([HOME], made)
    assert found.different == {}
    assert found.expected == [Expected(200, TEXT, None, 2)]


def test_a_server_that_starts_only_once_has_failed() -> None:
    times = itertools.count()
    once = {"a": lambda: failing() if next(times) else started(saying(b"1"))}
    found = agree([HOME], {**once, **starts(b=saying(b"2"))})
    assert found.failed.keys() == {"a"}
    assert found.expected == [Expected(200, TEXT, b"2", 1)]


@contextmanager
def curt() -> Iterator[Any]:
    """A server that closes after each answer, and does not say so."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client:
                    client.recv(65536)
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n5")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield SimpleNamespace(port=listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_to_close_without_a_word_is_noticed() -> None:
    found = agree([HOME], {"curt": curt})
    assert found.expected == [Expected(200, "", b"5", 1)]
    assert found.notes == {"curt": "closes the connection after some of its answers"}


def test_a_server_that_does_not_speak_http_has_failed() -> None:
    def cut(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "10")])
        yield b"short"

    found = agree([HOME], starts(cut=cut))
    assert "no answer to GET /: IncompleteRead" in found.failed["cut"]
    assert found.expected == []

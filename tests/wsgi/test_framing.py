"""How bodies end: lengths that lie, HEAD and its like, HTTP/1.0, fields of the connection, order of answers."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.wire import connect, exchange, read_all, replies
from tests.wsgi.applications import TEXT, answering, asked
from wsgiraw import Server

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

Serve = Callable[..., Server]
Result = Callable[[], Iterable[bytes]]

RESULTS: list[Result] = [lambda: [b"hello"], lambda: [b"hel", b"lo"], lambda: (piece for piece in [b"hel", b"lo"])]


def with_length(length: int | str) -> list[tuple[str, str]]:
    """Return fields with this Content-Length."""
    return [("Content-Length", str(length)), *TEXT]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("result", RESULTS)
def test_a_body_longer_than_its_length_is_cut(serve: Serve, result: Result, caplog: pytest.LogCaptureFixture) -> None:
    """What is too much is not sent and is logged once; the connection goes on."""
    answers = replies(exchange(serve(answering(result, fields=with_length(4), valid=False)), asked() + asked()))
    assert [answer.body for answer in answers] == [b"hell", b"hell"]
    assert caplog.text.count("longer than its Content-Length") == 2


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("result", RESULTS)
def test_a_body_shorter_than_its_length(serve: Serve, result: Result, caplog: pytest.LogCaptureFixture) -> None:
    """The connection ends, for the client waits for octets that will not come; the next request is not answered."""
    octets = exchange(serve(answering(result, fields=with_length(6), valid=False)), asked() + asked())
    assert octets.count(b"HTTP/1.1 200 OK") == 1
    assert octets.endswith(b"\r\n\r\nhello")
    assert caplog.text.count("shorter than its Content-Length") == 1


@pytest.mark.usefixtures("here")
def test_no_more_is_asked_for_than_is_sent(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """PEP 3333 "Handling the Content-Length Header": iterating stops, even if the application would never end."""

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x"

    (answer,) = replies(exchange(serve(answering(endless, fields=with_length(3), valid=False)), asked()))
    assert answer.body == b"xxx"
    assert caplog.text.count("longer") == 1


@pytest.mark.parametrize("length", ["5", "05"])
@pytest.mark.parametrize("result", RESULTS)
def test_an_honest_length(serve: Serve, result: Result, length: str) -> None:
    """A length that the application gives replaces chunks, and the validator agrees."""
    answers = replies(exchange(serve(answering(result, fields=with_length(length))), asked() + asked()))
    assert [answer.body for answer in answers] == [b"hello", b"hello"]
    assert answers[0].field("Content-Length") == length
    assert answers[0].field("Transfer-Encoding") is None


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("length", ["five", "-5", "5.0", "", " 5", "5, 5"])
def test_a_malformed_length(serve: Serve, length: str, caplog: pytest.LogCaptureFixture) -> None:
    """500 before anything is sent."""
    (answer,) = replies(
        exchange(serve(answering(lambda: [b"hello"], fields=with_length(length), valid=False)), asked())
    )
    assert answer.status == 500
    assert "Content-Length" in caplog.text


def test_a_length_given_twice(serve: Serve) -> None:
    """Equal, it is sent once; two different ones are a fault."""
    for second, status in (("5", 200), ("6", 500)):
        fields = [*with_length(5), ("content-length", second)]
        (answer,) = replies(exchange(serve(answering(lambda: [b"hello"], fields=fields, valid=False)), asked()))
        assert (answer.status, answer.field("Content-Length")) == (status, "5" if status == 200 else "48")


@pytest.mark.parametrize("result", [*RESULTS, list, lambda: (piece for piece in [])])
@pytest.mark.parametrize(
    ("method", "status", "fields"),
    [
        ("HEAD", "200 OK", TEXT),
        ("HEAD", "200 OK", with_length(5)),
        ("HEAD", "404 Not Found", with_length(5)),
        ("GET", "304 Not Modified", []),
        ("GET", "304 Not Modified", [("Content-Length", "5")]),
        ("GET", "204 No Content", []),
    ],
)
def test_without_body(serve: Serve, method: str, status: str, fields: list[tuple[str, str]], result: Result) -> None:
    """HEAD, 204 and 304 carry no octet of body whatever the application yields, and the connection goes on."""
    server = serve(answering(result, status, fields, valid=False))
    answers = replies(exchange(server, asked(method) + asked(method)), method, method)
    assert [answer.status for answer in answers] == [int(status[:3])] * 2
    for answer in answers:
        assert answer.field("Transfer-Encoding") is None
        if fields and fields[0][0] == "Content-Length":
            assert answer.field("Content-Length") == "5"
        elif method == "GET":
            assert answer.field("Content-Length") is None


def test_interim_status(serve: Serve) -> None:
    """A final 1xx has no body, and nothing can be told from it: the connection ends."""
    octets = exchange(serve(answering(lambda: [b"x"], "103 Early Hints", [], valid=False)), asked() + asked())
    assert octets.startswith(b"HTTP/1.1 103 Early Hints\r\n")
    assert octets.endswith(b"\r\n\r\n")
    assert octets.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("result", RESULTS)
def test_http_1_0(serve: Serve, result: Result) -> None:
    """Closed after each response, unless the client asks to keep alive and the body has a length; never in chunks."""
    server = serve(answering(result))
    (answer,) = replies(exchange(server, asked(version="HTTP/1.0"), half_close=False))
    assert (answer.body, answer.field("Connection")) == (b"hello", "close")
    assert answer.field("Transfer-Encoding") is None


def test_http_1_0_keep_alive(serve: Serve) -> None:
    """Told so, the connection persists where the body has a length, and ends where only the end can tell."""
    octets = asked("GET", "/", "Connection: Keep-Alive", version="HTTP/1.0")
    known = replies(exchange(serve(answering(RESULTS[0], valid=False)), octets * 2))
    assert [(answer.body, answer.field("Connection")) for answer in known] == [(b"hello", "keep-alive")] * 2
    unknown = replies(exchange(serve(answering(RESULTS[2])), octets * 2))
    assert [(answer.body, answer.field("Connection")) for answer in unknown] == [(b"hello", "close")]


def test_the_application_closes(serve: Serve) -> None:
    """`Connection: close` is heard, said once, and ends the connection."""
    fields = [("Connection", "Close"), *TEXT]
    octets = exchange(serve(answering(RESULTS[0], fields=fields, valid=False)), asked() * 2, half_close=False)
    (answer,) = replies(octets)
    assert answer.field("Connection") == "close"


def test_the_client_closes(serve: Serve) -> None:
    """A client that says close gets its answer and the end, however much it sends."""
    octets = asked("GET", "/", "Connection: close") + asked()
    (answer,) = replies(exchange(serve(answering(RESULTS[0])), octets, half_close=False))
    assert answer.field("Connection") == "close"


@pytest.mark.usefixtures("here")
def test_hop_by_hop_fields_are_dropped(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """They are ours: one warning for each name, however often."""
    fields = [("Keep-Alive", "x"), ("Transfer-Encoding", "chunked"), ("UPGRADE", "y"), ("Connection", "upgrade"), *TEXT]
    answers = replies(exchange(serve(answering(RESULTS[0], fields=fields, valid=False)), asked() * 3))
    assert [answer.body for answer in answers] == [b"hello"] * 3
    for answer in answers:
        assert {name for name, _ in answer.fields} == {"content-type", "content-length", "date", "server"}
    assert len(caplog.records) == 4
    assert {record.levelname for record in caplog.records} == {"WARNING"}


@pytest.mark.usefixtures("here")
def test_lint_makes_hop_by_hop_fields_a_fault(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """With `--lint` they are refused: 500, and the log says which."""
    (answer,) = replies(
        exchange(serve(answering(RESULTS[0], fields=[("Trailer", "x"), *TEXT], valid=False), lint=True), asked())
    )
    assert answer.status == 500
    assert "trailer" in caplog.text or "hop" in caplog.text.lower()


def test_date_and_server(serve: Serve) -> None:
    """Ours where the application has none; the operator may leave Server out."""
    (ours,) = replies(exchange(serve(answering(RESULTS[0])), asked()))
    assert ours.field("Server") == "wsgiraw"
    date = ours.field("Date")
    assert date is not None
    assert date.endswith(" GMT")
    fields = [("Date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("Server", "mine"), *TEXT]
    (own,) = replies(exchange(serve(answering(RESULTS[0], fields=fields)), asked()))
    assert (own.field("Server"), own.field("Date")) == ("mine", "Sun, 06 Nov 1994 08:49:37 GMT")
    (without,) = replies(exchange(serve(answering(RESULTS[0]), server_header=""), asked()))
    assert without.field("Server") is None


def test_pipelined_answers_keep_their_order(serve: Serve) -> None:
    """One hundred requests sent at once, of each kind of answer, come back in order."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        number = environ["PATH_INFO"][1:].encode()
        start_response("200 OK", TEXT)
        kind = int(number) % 4
        if kind == 0:
            return [number]
        if kind == 1:
            return (piece for piece in [number, b"!"])
        return [number * 30_000] if kind == 2 else iter([number, b"?"])

    octets = b"".join(asked("GET", f"/{number}") for number in range(100))
    answers = replies(exchange(serve(application), octets))
    expected = [(b"%d", b"%d!", b"%d", b"%d?")[number % 4] % number for number in range(100)]
    assert [answer.body[: len(body)] for answer, body in zip(answers, expected, strict=True)] == expected


def test_a_half_closed_client_is_answered(serve: Serve) -> None:
    """A client that has sent its last octet may still be reading."""
    with connect(serve(answering(lambda: [b"x" * 3_000_000]))) as client:
        client.sendall(asked("POST", body=b"hello"))
        client.shutdown(1)
        (answer,) = replies(read_all(client))
    assert len(answer.body) == 3_000_000

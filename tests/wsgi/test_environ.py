"""The environ: complete, typed, and a dict of its own for each request (PEP 3333, RFC 3875)."""

import io
import sys
from collections.abc import Callable
from wsgiref.validate import validator

import pytest

from tests.wire import connect, exchange, read_all, replies
from tests.wsgi.applications import Told, asked
from wsgiraw import Server, __version__
from wsgiraw.strategies import STRATEGIES
from wsgiraw.wsgi import FileWrapper

Serve = Callable[..., Server]


@pytest.fixture
def told() -> Told:
    """An application that keeps its environs."""
    return Told()


@pytest.mark.usefixtures("here")
def test_complete(serve: Serve, strategy: str, told: Told) -> None:
    """Every variable that PEP 3333, RFC 3875 and frameworks ask for, with its type, and no other."""
    errors = io.StringIO()
    server = serve(told, errors=errors)
    with connect(server) as client:
        address, port = client.getsockname()
        client.sendall(
            asked("POST", "/a%20b?c=%20d", "Content-Type: text/x", "X-Y: z", "Connection: close", body=b"hello")
        )
        read_all(client)
    (environ,) = told.environs
    assert type(environ) is dict
    assert environ.pop("wsgi.errors") is errors
    assert environ.pop("wsgiraw.client_gone")() is True
    assert environ.pop("wsgi.input").closed, "the body is given back with the response"
    assert environ == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a b",
        "QUERY_STRING": "c=%20d",
        "CONTENT_TYPE": "text/x",
        "CONTENT_LENGTH": "5",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(server.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": f"wsgiraw/{__version__}",
        "REMOTE_ADDR": address,
        "REMOTE_PORT": str(port),
        "wsgiraw.peer": (address, str(port)),
        "RAW_URI": "/a%20b?c=%20d",
        "REQUEST_URI": "/a%20b?c=%20d",
        "HTTP_HOST": "a",
        "HTTP_X_Y": "z",
        "HTTP_CONNECTION": "close",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": STRATEGIES[strategy].multithread,
        "wsgi.multiprocess": STRATEGIES[strategy].multiprocess,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
    }
    assert told.bodies == [b"hello"]
    for key, value in environ.items():
        assert type(key) is str
        assert key.startswith("wsgi") or type(value) is str


@pytest.mark.usefixtures("here")
def test_standard_error_is_the_default(serve: Serve, told: Told) -> None:
    """`wsgi.errors` is a stream, also where nobody gave one."""
    exchange(serve(told), asked())
    assert told.environs[0]["wsgi.errors"] is sys.stderr


@pytest.mark.usefixtures("here")
def test_text_is_latin_1(serve: Serve, told: Told) -> None:
    """Octets arrive as characters below U+0100, percent-encoded or in fields (PEP 3333 "Unicode Issues")."""
    exchange(serve(told), asked("GET", "/%C3%A9%FF/%zz%2f", "X: \xe9"))
    (environ,) = told.environs
    assert environ["PATH_INFO"] == "/\xc3\xa9\xff/%zz/"
    assert environ["RAW_URI"] == "/%C3%A9%FF/%zz%2f"
    assert environ["HTTP_X"] == "\xe9"


@pytest.mark.usefixtures("here")
def test_each_request_has_its_own(serve: Serve) -> None:
    """An application may write into its environ; the next request does not see it."""
    told = Told()

    def application(environ, start_response):  # type: ignore[no-untyped-def]
        assert "mine" not in environ
        result = told(environ, start_response)
        environ["mine"] = environ["wsgi.version"] = environ["REMOTE_ADDR"] = environ["HTTP_HOST"] = None
        return result

    answers = replies(exchange(serve(application), asked() * 3))
    assert [answer.status for answer in answers] == [200] * 3
    assert [environ["HTTP_HOST"] for environ in told.environs] == ["a"] * 3


@pytest.mark.usefixtures("here")
def test_without_body(serve: Serve, told: Told) -> None:
    """No body is an empty one, and says so by an absent CONTENT_LENGTH; the validator agrees."""
    exchange(serve(validator(told)), asked("GET", "http://b/?x", version="HTTP/1.0"))
    (environ,) = told.environs
    assert told.bodies == [b""]
    assert "CONTENT_LENGTH" not in environ
    assert "CONTENT_TYPE" not in environ
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.0"
    assert (environ["PATH_INFO"], environ["HTTP_HOST"], environ["QUERY_STRING"]) == ("/", "b", "x")


@pytest.mark.usefixtures("here")
def test_dropped_fields(serve: Serve, told: Told) -> None:
    """Nobody can set HTTP_PROXY, or a variable under another name."""
    exchange(serve(told), asked("GET", "/", "Proxy: x", "X_Forwarded_For: y", "Remote-Addr: z"))
    (environ,) = told.environs
    assert "HTTP_PROXY" not in environ
    assert "HTTP_X_FORWARDED_FOR" not in environ
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["HTTP_REMOTE_ADDR"] == "z"

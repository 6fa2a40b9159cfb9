"""The WSGI server of under 100 lines: the four calculators, the hello applications of the tutorials, and PEP 3333."""

import pytest

from tests.apps.conftest import tool
from tests.demos.conftest import Demo, Start
from tests.wire import Reply, replies


@pytest.fixture(scope="module")
def wsgi(start: Start) -> Demo:
    for module in ("flask", "django", "pyramid"):
        tool(module)
    return start("wsgi", "tests.demos.applications:app")


def ask(demo: Demo, target: str, method: str = "GET", fields: str = "", body: bytes = b"") -> Reply:
    octets = demo.ask(f"{method} {target} HTTP/1.1\r\nHost: here\r\n{fields}\r\n".encode() + body)
    assert octets.startswith(b"HTTP/1.0 ")
    (reply,) = replies(octets.replace(b"HTTP/1.0", b"HTTP/1.1", 1), method)
    return reply


@pytest.mark.parametrize("name", ["native", "flask", "django", "pyramid"])
def test_the_four_calculators(wsgi: Demo, name: str) -> None:
    reply = ask(wsgi, f"/{name}/add/2/3")
    assert (reply.status, reply.body, reply.field("Content-Type")) == (200, b"5", "text/plain; charset=utf-8")
    document = b'{"op": "multiply", "arg1": 6, "arg2": 7}'
    reply = ask(wsgi, f"/{name}/calc", "POST", f"Content-Length: {len(document)}\r\n", document)
    assert (reply.status, reply.body) == (200, b'{"result": 42}')
    assert ask(wsgi, f"/{name}/").body.startswith(b"<!doctype html>")
    assert ask(wsgi, f"/{name}/nothing").status == 404


@pytest.mark.parametrize(("name", "framework"), [("flaskapp", "Flask"), ("pyramidapp", "Pyramid")])
def test_hello_of_the_tutorials(wsgi: Demo, name: str, framework: str) -> None:
    reply = ask(wsgi, f"/{name}/hello?name=x")
    assert (reply.status, reply.body) == (200, f"Hello world from {framework}!\n".encode())


def test_hello_of_django(start: Start) -> None:
    tool("django")
    reply = ask(start("wsgi", "tests.demos.djangoapp:app"), "/hello?name=x")
    assert (reply.status, reply.body) == (200, b"Hello world from Django!\n")


def test_path_query_and_fields_reach_the_application(wsgi: Demo) -> None:
    fields = "X-One: 1\r\nX-One: 2\r\nContent-Type: text/x\r\nContent-Length: 3\r\n"
    shown = ask(wsgi, "/shown/caf%C3%A9/?a=b%20c&d?e", "POST", fields, b"abc").body.decode("latin-1").splitlines()
    assert {
        "REQUEST_METHOD=POST",
        "SCRIPT_NAME=/shown",
        "PATH_INFO=/caf\u00c3\u00a9/",
        "QUERY_STRING=a=b%20c&d?e",
        "CONTENT_TYPE=text/x",
        "CONTENT_LENGTH=3",
        "HTTP_HOST=here",
        "HTTP_X_ONE=1,2",
        "REMOTE_ADDR=127.0.0.1",
        "SERVER_NAME=127.0.0.1",
        f"SERVER_PORT={wsgi.port}",
        "SERVER_PROTOCOL=HTTP/1.1",
        "wsgi.url_scheme=http",
        "body=b'abc'",
    } <= set(shown)
    wsgi.says(r"POST /shown/caf%C3%A9/\?a=b%20c&d\?e\n")


def test_pieces_write_and_a_changed_mind(wsgi: Demo) -> None:
    reply = ask(wsgi, "/pieces")
    assert (reply.status, reply.fields, reply.body) == (202, [("x", "1")], b"one,two,three")


def test_no_body_for_head_and_none_at_all(wsgi: Demo) -> None:
    assert ask(wsgi, "/shown", "HEAD").body == b""
    assert ask(wsgi, "/empty").status == 204
    wsgi.says("closed the iterable\n")


def test_faults_of_the_application_end_only_their_response(wsgi: Demo) -> None:
    reply = ask(wsgi, "/fails")
    assert (reply.status, reply.body) == (500, b"The application failed.\n")
    wsgi.says("LookupError: in vain\n")
    assert ask(wsgi, "/pieces?late").body == b"one,two,"
    wsgi.says("LookupError: too late\n")
    assert ask(wsgi, "/native/add/2/3").body == b"5"

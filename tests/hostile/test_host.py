"""HTTP/1.1 without Host: refused with a word of advice, unless the operator has a health checker that sends none."""

from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.hostile.clients import dial
from tests.process import running
from tests.strategies.applications import read_reply
from tests.wire import exchange, replies
from tests.wsgi.applications import Told
from wsgiraw.strategies import STRATEGIES

HOSTLESS = b"GET / HTTP/1.1\r\n\r\n"


@pytest.fixture(params=[name for name in STRATEGIES if name != "forking"])
def strategy(request: pytest.FixtureRequest) -> str:
    """All of them: it is the parser's business. What a fork is told stays there."""
    return str(request.param)


def test_by_default_it_is_refused_with_advice(serve: Serve) -> None:
    told = Told()
    (reply,) = replies(exchange(serve(told), HOSTLESS))
    assert (reply.status, reply.field("Connection")) == (400, "close")
    assert b"add 'Host: name'" in reply.body
    assert told.environs == []


def test_where_it_is_allowed_the_address_takes_its_place(serve: Serve) -> None:
    """As PEP 3333 has it for clients that send none: SERVER_NAME and SERVER_PORT."""
    told = Told()
    server = serve(told, strict_host=False)
    answers = replies(exchange(server, HOSTLESS * 2))
    assert [reply.status for reply in answers] == [200, 200]
    for environ in told.environs:
        assert "HTTP_HOST" not in environ
        assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("127.0.0.1", str(server.port))


@pytest.mark.parametrize(
    "host", [b"Host:\r\n", b"Host: a b\r\n", b"Host: a\r\nHost: b\r\n", b"Host: user@a\r\n", b"Host: a,b\r\n"]
)
def test_a_host_that_is_there_must_still_be_one(serve: Serve, host: bytes) -> None:
    """Nothing else becomes more lenient."""
    (reply,) = replies(exchange(serve(Told(), strict_host=False), HOSTLESS[:-2] + host + b"\r\n"))
    assert reply.status == 400


@pytest.mark.parametrize(("options", "status"), [((), 400), (("--strict-host", "no"), 200)])
def test_on_the_command_line(folder: Path, options: tuple[str, ...], status: int) -> None:
    with running(folder, "tests.hostile.site:app", "--port=0", *options) as process:
        with dial(process.port()) as client, client.makefile("rb") as stream:
            client.sendall(HOSTLESS)
            assert read_reply(stream).status == status
        assert process.stop() == 0

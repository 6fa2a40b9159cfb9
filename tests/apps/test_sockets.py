"""The table of requests against each calculator on each strategy, over a real socket, with wsgiref.validate in between.

One connection carries the whole table: a server that closes it or loses its place in it fails here.
"""

import http.client
from contextlib import closing
from wsgiref.validate import validator

import pytest

import wsgiraw
from wsgiraw.strategies import STRATEGIES

from .conftest import Application, application
from .requests_table import TABLE, Row, Seen

# The validator knows the methods of RFC 9110 and warns about any other; the table has some.
pytestmark = pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")


def ask(connection: http.client.HTTPConnection, row: Row, prefix: str = "") -> Seen:
    connection.request(row.method, prefix + row.path, row.sent, dict(row.headers))
    with connection.getresponse() as response:
        field = response.headers.get
        status = f"{response.status} {response.reason}"
        return Seen(status, field("Content-Type"), field("Allow"), field("Content-Length"), response.read())


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_table(app: Application, strategy: str) -> None:
    with (
        wsgiraw.Server(validator(app), port=0, strategy=strategy) as server,
        closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection,
    ):
        connection.connect()
        socket = connection.sock
        for row in TABLE:
            assert ask(connection, row) == row.seen, row
            assert connection.sock is socket, f"the server closed the connection after {row}"


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_mounted(strategy: str) -> None:
    """All four in one server, each below its own prefix; the page answers with the prefix's slash and without."""
    names = ("native", "flask", "django", "pyramid")
    mount = wsgiraw.Mount({f"/{name}": validator(application(name)) for name in names})
    page = next(row for row in TABLE if row.path == "/")
    with (
        wsgiraw.Server(mount, port=0, strategy=strategy) as server,
        closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection,
    ):
        for name in names:
            for row in TABLE:
                assert ask(connection, row, f"/{name}") == row.seen, (name, row)
            assert ask(connection, page._replace(path=f"/{name}")) == page.seen

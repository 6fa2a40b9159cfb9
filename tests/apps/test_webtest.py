"""The table of requests against each calculator without a server: WebTest calls the application, and lints it."""

import io
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

from .conftest import Application, application, tool
from .requests_table import TABLE, Row, Seen

# The lints know the methods of RFC 9110 and warn about any other; the table has some.
pytestmark = pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")


def ask(app: Application, row: Row, script_name: str = "", path_info: str | None = None) -> tuple[Seen, list[Any]]:
    """Send a row through WebTest with `lint=True`; return what is seen and all header fields."""
    webtest = tool("webtest")
    path, _, query = row.path.partition("?")
    request = webtest.TestRequest.blank("/", method=row.method, headers=dict(row.headers))
    request.environ["SCRIPT_NAME"] = script_name
    request.environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1") if path_info is None else path_info
    request.environ["QUERY_STRING"] = query
    request.environ["REQUEST_METHOD"] = row.method
    if row.sent is not None:
        request.environ["wsgi.input"] = io.BytesIO(row.sent)
        request.environ["CONTENT_LENGTH"] = str(len(row.sent))
    response = webtest.TestApp(app, lint=True).do_request(request, status="*")
    field = response.headers.get
    seen = Seen(response.status, field("Content-Type"), field("Allow"), field("Content-Length"), response.body)
    return seen, response.headerlist


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_table(app: Application, row: Row) -> None:
    assert ask(app, row)[0] == row.seen


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_no_framework_adds_a_field(row: Row) -> None:
    """The whole header section, order included, is that of the plain WSGI application."""
    native = ask(application("native"), row)
    for name in ("flask", "django", "pyramid"):
        assert ask(application(name), row) == native


@pytest.mark.parametrize("path_info", ["", "/"])
@pytest.mark.parametrize("script_name", ["/flask", "/a/b%c", "/\xc3\xa9"])
def test_page_with_and_without_slash(app: Application, script_name: str, path_info: str) -> None:
    """Behind a mount prefix the page is the same, with the slash and without."""
    page = next(row for row in TABLE if row.path == "/")
    assert ask(app, page, script_name, path_info)[0] == page.seen


def test_calculation_behind_a_prefix(app: Application) -> None:
    calculation = next(row for row in TABLE if row.path == "/add/2/3")
    assert ask(app, calculation, "/deep/prefix")[0] == calculation.seen


def test_rows_differ() -> None:
    """No row is there twice."""
    asked = [(row.method, row.path, row.sent, tuple(row.headers.items())) for row in TABLE]
    assert len(set(asked)) == len(asked) >= 100

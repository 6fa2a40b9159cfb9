"""`Mount`: the longest prefix wins, and the path is split as PEP 3333 says."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from tests.wire import exchange, replies
from tests.wsgi.applications import TEXT, asked
from wsgiraw import ConfigError, Mount, Server

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def named(name: str) -> "WSGIApplication":
    """Return an application that tells its name and how the path was split."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", TEXT)
        return [f"{name} {environ['SCRIPT_NAME']} {environ['PATH_INFO']}".encode("latin-1")]

    return validator(application)


def ask(application: "WSGIApplication", path: str, method: str = "GET") -> tuple[str, str]:
    """Return status and body."""
    environ: dict[str, object] = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    statuses: list[str] = []
    result = application(environ, lambda status, fields, exc_info=None: statuses.append(status))  # type: ignore[arg-type]
    body = b"".join(result).decode("latin-1")
    getattr(result, "close", lambda: None)()
    return statuses[0], body


SITE = {"/": named("site"), "/api": named("api"), "/api/v2/": named("v2"), "/caf\xe9": named("cafe")}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/", "site  /"),
        ("/x/y", "site  /x/y"),
        ("//", "site  //"),
        ("/api", "api /api "),
        ("/api/", "api /api /"),
        ("/api//", "api /api //"),
        ("/api/v1", "api /api /v1"),
        ("/api//v2", "api /api //v2"),
        ("/apiary", "site  /apiary"),
        ("/api/v2", "v2 /api/v2 "),
        ("/api/v2/x/", "v2 /api/v2 /x/"),
        ("/api/v20", "api /api /v20"),
        ("/API", "site  /API"),
        ("/caf\xc3\xa9/x", "cafe /caf\xc3\xa9 /x"),  # UTF-8 as PEP 3333 shows it
    ],
)
def test_split(path: str, told: str) -> None:
    """Whole segments, the longest first."""
    assert ask(Mount(SITE), path) == ("200 OK", told)


def test_nothing_there() -> None:
    """Without an application for the root, other paths are 404."""
    mount = Mount({"/api": named("api")})
    assert ask(mount, "/other") == ("404 Not Found", "no application is mounted here\n")
    assert ask(mount, "/other", "HEAD") == ("404 Not Found", "")


def test_mounts_in_mounts() -> None:
    """SCRIPT_NAME grows."""
    assert ask(Mount({"/a": Mount({"/b": named("inner")})}), "/a/b/c") == ("200 OK", "inner /a/b /c")


@pytest.mark.parametrize(
    ("prefixes", "message"), [(["api"], "begin with /"), (["/api", "/api/"], "twice"), ([""], "begin")]
)
def test_refused_prefixes(prefixes: list[str], message: str) -> None:
    """A prefix that cannot match, or could match twice, is the operator's fault."""
    with pytest.raises(ConfigError, match=message):
        Mount({prefix: named("x") for prefix in prefixes})


def test_over_sockets(serve: Callable[..., Server]) -> None:
    """The same, percent-encoded and served."""
    answers = replies(exchange(serve(Mount(SITE)), asked("GET", "/api%2fv2/x") + asked("GET", "/caf%C3%A9")))
    assert [answer.body.decode("latin-1") for answer in answers] == ["v2 /api/v2 /x", "cafe /caf\xc3\xa9 "]

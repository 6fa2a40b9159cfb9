"""Several applications side by side, each under a prefix of the path. Itself an ordinary WSGI application."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from wsgiraw.errors import ConfigError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Mount"]


class Mount:
    """Call the application with the longest prefix of the path; 404 where there is none.

    `Mount({"/": site, "/api": api})`: the prefix moves from PATH_INFO to SCRIPT_NAME (PEP 3333 "environ Variables"),
    whole segments only: `/api` takes `/api` and `/api/v1`, never `/apiary`.
    """

    def __init__(self, applications: "Mapping[str, WSGIApplication]") -> None:
        """Raises `ConfigError` for a prefix that does not begin with / or occurs twice."""
        self.applications: dict[str, Any] = {}
        for prefix, application in applications.items():
            if not prefix.startswith("/"):
                raise ConfigError(f"mount prefix {prefix!r} must begin with /")
            key = prefix.rstrip("/").encode().decode("latin-1")  # as PATH_INFO is (PEP 3333 "Unicode Issues")
            if key in self.applications:
                raise ConfigError(f"mount prefix {prefix!r} is given twice")
            self.applications[key] = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        prefix = path.rstrip("/") if path.endswith("/") else path
        while (application := self.applications.get(prefix)) is None:
            if not prefix:
                start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
                return [b""] if environ["REQUEST_METHOD"] == "HEAD" else [b"no application is mounted here\n"]
            prefix = prefix.rpartition("/")[0]
        environ["SCRIPT_NAME"] += prefix
        environ["PATH_INFO"] = path[len(prefix) :]
        return application(environ, start_response)  # type: ignore[no-any-return]

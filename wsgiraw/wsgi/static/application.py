"""`Static`: the files of a folder, as a WSGI application.

It says which file a path means, and what is answered where there is none; `representation` answers with a file.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from wsgiraw.errors import ConfigError
from wsgiraw.options import field_value
from wsgiraw.wsgi.static.folder import Folder, names_of
from wsgiraw.wsgi.static.listing import page
from wsgiraw.wsgi.static.representation import answer, answer_not_found, say

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Static"]

_INDEX = b"index.html"
_ERROR_PAGE = b"404.html"
_ALLOW = ("Allow", "GET, HEAD, OPTIONS")

_PATH = "/!$&'()*+,;=:@~"  # pchar of RFC 3986 §3.3, and what quote() keeps anyhow
_QUERY = _PATH + "?%"


class Static:
    """Serve the files of a directory: `Static("public")`, or `Mount({"/": site, "/assets": Static("assets")})`."""

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        cache_control: str = "no-cache",
        listing: bool = False,
        follow_symlinks: bool = False,
        otherwise: "WSGIApplication | None" = None,
    ) -> None:
        """`directory` is seen from the current one. `cache_control` is sent with what is found, empty: nothing is.

        With `listing`, a directory without index.html is listed. Symbolic links that lead out of the directory are
        followed only with `follow_symlinks`. `otherwise` is an application that is asked for what is not there, and for
        all but GET and HEAD. Raises `ConfigError`.
        """
        path = Path(directory).absolute()
        if not path.is_dir():
            raise ConfigError(f"static {os.fspath(directory)!r}: no such directory: give an existing one")
        try:
            self._caching = [("Cache-Control", field_value(cache_control))] if cache_control else []
        except ValueError as error:
            raise ConfigError(f"cache_control {error}") from None
        self.directory = str(path)
        self._folder = Folder(self.directory, follow_symlinks)
        self._listing = listing
        self._otherwise = otherwise

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            if self._otherwise is not None:
                return self._otherwise(environ, start_response)
            return _other_method(environ, start_response)
        path: str = environ.get("PATH_INFO") or ("" if environ.get("SCRIPT_NAME") else "/")
        names = names_of(path)
        # Most of what an application is asked for is no file.
        if names is not None and (self._otherwise is None or self._folder.may_have(names)):
            if names and names[-1]:
                found = self._folder.open_either(names)
                if found is not None and stat.S_ISREG(found[1].st_mode):
                    return answer(environ, start_response, self._folder, names, found, self._caching)
                if found is not None:
                    os.close(found[0])
                    if self._shows(names):
                        return _to_directory(environ, start_response)
            elif names:
                names[-1] = _INDEX
                found = self._folder.open_file(names)
                if found is not None:
                    return answer(environ, start_response, self._folder, names, found, self._caching)
                if self._listing and (entries := self._folder.entries(names[:-1])) is not None:
                    shown = (environ.get("SCRIPT_NAME", "") + path).encode("latin-1")
                    body = page(shown, entries, inner=len(names) > 1)
                    return say(environ, start_response, "200 OK", self._caching, body, "text/html; charset=utf-8")
            elif self._shows(names):
                return _to_directory(environ, start_response)
        if self._otherwise is not None:
            return self._otherwise(environ, start_response)
        if (found := self._folder.open_file([_ERROR_PAGE])) is not None:
            return answer_not_found(environ, start_response, found)
        return say(environ, start_response, "404 Not Found", [], b"there is no such file\n")

    def _shows(self, names: list[bytes]) -> bool:
        """Return whether a directory that exists would be answered with anything."""
        if self._listing:
            return True
        found = self._folder.open_file([*names, _INDEX])
        if found is None:
            return False
        os.close(found[0])
        return True


def _other_method(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    if environ["REQUEST_METHOD"] == "OPTIONS":
        start_response("204 No Content", [_ALLOW])
        return []
    return say(environ, start_response, "405 Method Not Allowed", [_ALLOW], b"files can be read: use GET or HEAD\n")


def _to_directory(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Send to the same path with a slash behind, where relative links of the page lead to the right places."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    # One slash at the beginning: behind two, the first name would be a host (RFC 3986 §4.2).
    location = "/" + quote(path.strip("/"), _PATH, "latin-1") + "/"
    if query := environ.get("QUERY_STRING"):
        location += "?" + quote(query, _QUERY, "latin-1")
    fields = [("Location", location)]
    return say(environ, start_response, "301 Moved Permanently", fields, b"a directory: its path ends with a slash\n")

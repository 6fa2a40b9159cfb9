"""A page that lists a directory. Names are shown as UTF-8 and never as markup. What is shown is decided elsewhere."""

from collections.abc import Iterable
from html import escape
from os import stat_result
from urllib.parse import quote

from wsgiraw.wsgi.static.dates import http_date

__all__ = ["page"]

_STYLE = "body{font:1em/1.5 system-ui,sans-serif;margin:2em}td{padding-right:2em}td+td{text-align:right}"


def page(path: bytes, entries: Iterable[tuple[bytes, bool, stat_result]], inner: bool) -> bytes:
    """Return the page of a directory with (name, whether it is a directory, status); an `inner` one has one above."""
    rows = ['<tr><td><a href="../">../</a></td><td></td><td></td></tr>'] if inner else []
    for name, is_directory, status in entries:
        slash = "/" if is_directory else ""
        size = "" if is_directory else f"{status.st_size:,}"
        # Behind ./ no name is taken for a scheme, as that of `javascript:` would be.
        rows.append(
            f'<tr><td><a href="./{quote(name)}{slash}">{_text(name)}{slash}</a></td>'
            f"<td>{size}</td><td>{http_date(int(status.st_mtime))}</td></tr>"
        )
    title = _text(path)
    text = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n<table>\n"
    )
    return (text + "\n".join(rows) + "\n</table></body></html>\n").encode()


def _text(name: bytes) -> str:
    return escape(name.decode("utf-8", "replace"))

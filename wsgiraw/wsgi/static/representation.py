"""The answer with a file that has been opened: which coding, under which conditions, and how much of it.

Whoever calls gives a descriptor away: it is closed here, or with the iterable that is returned.
"""

import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from wsgiraw.wsgi.file_wrapper import FileSlice, FileWrapper
from wsgiraw.wsgi.static.codings import IDENTITY, SIBLINGS, acceptable
from wsgiraw.wsgi.static.conditions import evaluate, range_applies, validators
from wsgiraw.wsgi.static.folder import Folder
from wsgiraw.wsgi.static.media_types import content_type
from wsgiraw.wsgi.static.multipart import Multipart
from wsgiraw.wsgi.static.ranges import parse_ranges

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["answer", "answer_not_found", "say"]

_Fields = list[tuple[str, str]]
_Found = tuple[int, os.stat_result]

_TEXT = "text/plain; charset=utf-8"
_VARY = ("Vary", "Accept-Encoding")

_SMALL = 32 * 1024
"""Octets up to which a file is read and sent with its head at once, instead of behind it by `sendfile`."""


def answer(
    environ: "WSGIEnvironment",
    start_response: "StartResponse",
    folder: Folder,
    names: list[bytes],
    found: _Found,
    caching: _Fields,
) -> Iterable[bytes]:
    """Answer a GET or HEAD with the file that `names` lead to, or with what is ready beside it in another coding."""
    kind, compressible = content_type(_suffix(names[-1]))
    fields: _Fields = [*caching, _VARY] if compressible else [*caching]
    opened, status = FileSlice(found[0], 0, found[1].st_size), found[1]
    try:
        coding = IDENTITY
        if (accepted := environ.get("HTTP_ACCEPT_ENCODING")) is not None:
            codings = acceptable(accepted)
            for coding in codings if compressible else (IDENTITY,):
                if coding == IDENTITY:
                    break
                sibling = [*names[:-1], names[-1] + SIBLINGS[coding]]
                if folder.may_have(sibling) and (ready := folder.open_file(sibling)) is not None:
                    opened.close()
                    opened, status = FileSlice(ready[0], 0, ready[1].st_size), ready[1]
                    break
            else:
                coding = IDENTITY
            if coding == IDENTITY and IDENTITY not in codings:
                opened.close()
                return say(environ, start_response, "406 Not Acceptable", [_VARY], b"not in a coding that you accept\n")
        return _conditionally(environ, start_response, opened, status, coding, kind, fields)
    except BaseException:
        opened.close()
        raise


def _conditionally(
    environ: "WSGIEnvironment",
    start_response: "StartResponse",
    opened: FileSlice,
    status: os.stat_result,
    coding: str,
    kind: str,
    fields: _Fields,
) -> Iterable[bytes]:
    """Answer with a representation, or say why not. Where this fails, the caller closes it."""
    size = status.st_size
    current = validators(status.st_mtime_ns, size, coding, time.time_ns())
    fields += current.fields
    outcome = evaluate(environ, current)
    if outcome != 200:
        opened.close()
        if outcome == 412:
            # Without Cache-Control: with it, a cache would keep this for those who suppose nothing (RFC 9111 §3).
            shown = list(current.fields)
            return say(environ, start_response, "412 Precondition Failed", shown, b"it is not as you suppose\n")
        start_response("304 Not Modified", fields)  # RFC 9110 §15.4.5: with what a 200 would say of caching
        return []
    fields.append(("Accept-Ranges", "bytes"))
    if coding:
        fields.append(("Content-Encoding", coding))
    slices = None
    asked = environ.get("HTTP_RANGE")
    if asked is not None and environ["REQUEST_METHOD"] == "GET" and range_applies(environ, current):
        slices = parse_ranges(asked, size)  # RFC 9110 §14.2: for GET alone
    if slices is None:
        fields += [("Content-Type", kind), ("Content-Length", str(size))]
        start_response("200 OK", fields)
        return _sent(environ, opened)
    if not slices:
        opened.close()
        nothing = [("Content-Range", f"bytes */{size}")]
        return say(environ, start_response, "416 Range Not Satisfiable", nothing, b"the file has no such range\n")
    descriptor = opened.segment().descriptor
    if len(slices) == 1:
        offset, length = slices[0]
        fields.append(("Content-Range", f"bytes {offset}-{offset + length - 1}/{size}"))
        fields += [("Content-Type", kind), ("Content-Length", str(length))]
        start_response("206 Partial Content", fields)
        return _sent(environ, FileSlice(descriptor, offset, length), whole=False)
    parts = Multipart(descriptor, slices, size, kind)
    fields += [("Content-Type", parts.content_type), ("Content-Length", str(parts.size))]
    start_response("206 Partial Content", fields)
    return parts


def answer_not_found(environ: "WSGIEnvironment", start_response: "StartResponse", found: _Found) -> Iterable[bytes]:
    """Answer 404 with a page of one's own."""
    opened = FileSlice(found[0], 0, found[1].st_size)
    length = ("Content-Length", str(found[1].st_size))
    try:
        start_response("404 Not Found", [("Content-Type", "text/html; charset=utf-8"), length])
    except BaseException:
        opened.close()
        raise
    return _sent(environ, opened)


def say(
    environ: "WSGIEnvironment",
    start_response: "StartResponse",
    status: str,
    fields: _Fields,
    body: bytes,
    kind: str = _TEXT,
) -> Iterable[bytes]:
    """Answer without a file."""
    start_response(status, [*fields, ("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def _sent(environ: "WSGIEnvironment", body: FileSlice, *, whole: bool = True) -> Iterable[bytes]:
    """Return the body for whoever serves: nothing for HEAD, octets of a small file, else what can be sent as a file."""
    descriptor, offset, size = body.segment()
    if environ["REQUEST_METHOD"] == "HEAD":
        body.close()
        return []
    if size <= _SMALL:
        octets = os.pread(descriptor, size, offset)
        body.close()
        return [octets]
    wrapper = environ.get("wsgi.file_wrapper")
    if not whole or wrapper is None or wrapper is FileWrapper:
        return body  # another server's wrapper would not know where a part ends
    return wrapper(os.fdopen(descriptor, "rb"), body.blksize)  # type: ignore[no-any-return]


def _suffix(name: bytes) -> str:
    dot = name.rfind(b".")
    return name[dot:].decode("latin-1") if dot > 0 else ""

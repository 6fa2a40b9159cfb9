"""Serve the files of a directory over connections that persist, in three layers.

None of them inherits from another: `TCPServer` accepts and gives each client a thread, `Connection` keeps one client's
requests apart, `HTTPServer` turns a request into a response. GET and HEAD only; who is silent for 3 seconds is dropped,
but not who sends an octet every 2. Never outside the directory, wherever `..` or a symbolic link leads.
"""

import mimetypes
import os
import socket
import sys
import threading
from argparse import ArgumentTypeError
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import unquote_to_bytes

from wsgiraw.demos.inspect import Request, parse
from wsgiraw.flags import FlagParser

__all__ = ["ARGUMENTS", "PORT", "TRY", "add_arguments", "serve"]

PORT = 8888
TRY = "curl -i http://{address}/"
ARGUMENTS = "DIR "

TIMEOUT = 3.0
HEAD_BYTES = 65536

PAGE = "<!doctype html><title>{status}</title><h1>{status}</h1><p>{sentence}</p>\n"


def add_arguments(parser: FlagParser) -> None:
    """What to serve."""
    parser.add_argument(
        "directory", metavar="DIR", type=directory, help="What is in it is served, index.html for itself."
    )


def directory(text: str) -> Path:
    """Read the name of a directory."""
    if Path(text).is_dir():
        return Path(text)
    raise ArgumentTypeError(f"{text!r} is no directory: give one that exists")


def serve(listener: socket.socket, directory: Path) -> None:
    """Put the three together."""
    http = HTTPServer(directory)
    TCPServer(listener, lambda client: Connection(client, http.respond).run()).run()


class TCPServer:
    """Accepts connections. Knows nothing of what is said on them."""

    def __init__(self, listener: socket.socket, handle: Callable[[socket.socket], None]) -> None:
        self.listener = listener
        self.handle = handle

    def run(self) -> None:
        """Serve until interrupted."""
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.handle, args=(client,), daemon=True).start()


class Response(NamedTuple):
    """What goes back. `content` is closed by who sends it."""

    status: str
    fields: dict[str, str]
    content: BinaryIO | bytes

    @property
    def closes(self) -> bool:
        """Whether the connection cannot go on after it."""
        return self.status.startswith("400")


class Connection:
    """One client: its requests one after another, as long as it keeps the connection. Knows nothing of files."""

    def __init__(self, client: socket.socket, respond: Callable[[Request], Response]) -> None:
        self.client = client
        self.respond = respond
        self.received = b""  # a client may send its next request before it has the answer to this one

    def run(self) -> None:
        """Serve the client until it has had enough, or we have."""
        with self.client:
            self.client.settimeout(TIMEOUT)
            try:
                while (head := self.next_head()) and self.exchange(parse(head)):
                    pass
                self.client.shutdown(socket.SHUT_WR)
                while self.client.recv(65536):
                    pass
            except OSError:  # TimeoutError too: it was silent, or has gone
                pass

    def next_head(self) -> bytes:
        """Wait for a whole head; return what there is where it does not become one."""
        while b"\r\n\r\n" not in self.received and len(self.received) < HEAD_BYTES:
            piece = self.client.recv(65536)
            if not piece:
                break
            self.received += piece
        head, end, self.received = self.received.partition(b"\r\n\r\n")
        return head + end

    def exchange(self, request: Request) -> bool:
        """Answer one request; return whether another may follow."""
        response = self.respond(request)
        # Where it ends, the next begins. Bodies are not read here, so nothing can follow one.
        has_body = request.field("Content-Length") not in ("", "0") or bool(request.field("Transfer-Encoding"))
        keeps = request.version == "HTTP/1.1" or request.field("Connection").lower() == "keep-alive"
        keeps = keeps and request.field("Connection").lower() != "close" and not has_body and not response.closes
        fields = {"Date": formatdate(usegmt=True), **response.fields, "Connection": "keep-alive" if keeps else "close"}
        lines = [f"HTTP/1.1 {response.status}", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        content = response.content
        try:
            self.client.sendall("\r\n".join(lines).encode("latin-1"))
            if request.method != "HEAD":
                if isinstance(content, bytes):
                    self.client.sendall(content)
                elif length := int(response.fields["Content-Length"]):
                    keeps = self.client.sendfile(content, count=length) == length and keeps
        finally:
            if not isinstance(content, bytes):
                content.close()
        sys.stdout.write(f"{request.method} {request.target} {response.status}\n")  # in one piece, among threads
        return keeps


class HTTPServer:
    """Turns a request into a response, from the files of a directory. Knows nothing of sockets."""

    def __init__(self, directory: Path) -> None:
        self.root = directory.resolve()

    def respond(self, request: Request) -> Response:
        """Find the file, or say why not."""
        whole = request.raw.endswith(b"\r\n\r\n") and request.target.startswith("/")
        if not whole or request.version not in ("HTTP/1.0", "HTTP/1.1"):
            return page("400 Bad Request", "This is not HTTP: try GET / HTTP/1.0 and an empty line.")
        if request.version == "HTTP/1.1" and not request.field("Host"):
            return page("400 Bad Request", "HTTP/1.1 wants to know the host: add Host: localhost.")
        if request.method not in ("GET", "HEAD"):
            return page("405 Method Not Allowed", "Files can be had by GET and HEAD.", Allow="GET, HEAD")
        try:
            file = self.opened(request.target.partition("?")[0])
        except (OSError, ValueError, RuntimeError):  # a NUL is a ValueError; links in a circle are a RuntimeError
            return page("404 Not Found", "There is no such file.")
        status = os.fstat(file.fileno())
        media_type, coding = mimetypes.guess_type(file.name)
        fields = {
            "Content-Type": media_type if media_type and not coding else "application/octet-stream",
            "Content-Length": str(status.st_size),
            "Last-Modified": formatdate(status.st_mtime, usegmt=True),
        }
        if fields["Content-Type"].startswith("text/"):
            fields["Content-Type"] += "; charset=utf-8"
        return Response("200 OK", fields, file)

    def opened(self, path: str) -> BinaryIO:
        """Open the file of a path. Raises OSError, ValueError or RuntimeError where it is none of ours."""
        name = os.fsdecode(unquote_to_bytes(path.encode("latin-1"))).lstrip("/")  # decoded first, and only once
        file = (self.root / name).resolve()  # `..` and links have been followed: what is compared is what is opened
        if file.is_dir():
            file = (file / "index.html").resolve()
        if not file.is_relative_to(self.root) or not file.is_file():  # compared by parts: /srv/www is not in /srv/ww
            raise FileNotFoundError(name)
        return file.open("rb")


def page(status: str, sentence: str, **fields: str) -> Response:
    """Return a page of ours."""
    body = PAGE.format(status=status, sentence=sentence).encode()
    described = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body)), **fields}
    return Response(status, described, body)

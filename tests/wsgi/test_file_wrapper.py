"""`wsgi.file_wrapper`: real files by sendfile, with offset and exact length; anything else by reading (PEP 3333)."""

# ruff: noqa: SIM115  # files are handed over to the server, which closes them

import gzip
import io
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from wsgiref.validate import validator

import pytest

from tests.wire import connect, exchange, replies
from tests.wsgi.applications import TEXT, asked, read_until_reset
from wsgiraw import Server
from wsgiraw.wsgi import FileWrapper

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

Serve = Callable[..., Server]
CONTENT = bytes(range(256)) * 40
LARGE = 20_000_000
"""More than any socket takes at once."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file."""
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    return path


class Wrapping:
    """An application that answers with a file, and remembers what it opened."""

    def __init__(
        self,
        opened: Callable[[], Any],
        status: str = "200 OK",
        fields: list[tuple[str, str]] = TEXT,
        blksize: int = 1000,
    ) -> None:
        self._open = opened
        self._status = status
        self._fields = fields
        self._blksize = blksize
        self.files: list[Any] = []

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response(self._status, self._fields)
        self.files.append(self._open())
        return environ["wsgi.file_wrapper"](self.files[-1], self._blksize)  # type: ignore[no-any-return]


def at(file: BinaryIO, offset: int) -> BinaryIO:
    """Return a file that has been read up to an offset."""
    file.read(offset)
    return file


def written(file: Any) -> Any:
    """Return a temporary file with the content, to be read."""
    file.write(CONTENT)
    file.seek(0)
    return file


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("opened", "body"),
    [
        (lambda path: path.open("rb"), CONTENT),
        (lambda path: path.open("rb", buffering=0), CONTENT),
        (lambda path: path.open("r+b"), CONTENT),
        (lambda path: at(path.open("rb"), 300), CONTENT[300:]),
        (lambda path: at(path.open("rb"), 10**6), b""),
        (lambda path: written(tempfile.TemporaryFile()), CONTENT),
        (lambda path: written(tempfile.NamedTemporaryFile()), CONTENT),
    ],
)
def test_files(serve: Serve, path: Path, opened: Callable[[Path], BinaryIO], body: bytes) -> None:
    """A file is sent from where it was read to; its length is known; it is closed; the connection goes on."""
    application = Wrapping(lambda: opened(path))
    answers = replies(exchange(serve(application), asked() + asked()))
    assert [answer.body for answer in answers] == [body, body]
    assert [answer.field("Content-Length") for answer in answers] == [str(len(body))] * 2
    assert len(application.files) == 2
    assert all(file.closed for file in application.files)


class OnlyRead:
    """As little of a file as there can be."""

    def __init__(self) -> None:
        self._file = io.BytesIO(CONTENT)

    def read(self, size: int) -> bytes:
        """Read."""
        return self._file.read(size)


def zipped(path: Path) -> Path:
    """Return a compressed copy."""
    copy = path.with_suffix(".gz")
    copy.write_bytes(gzip.compress(CONTENT))
    return copy


def piped() -> BinaryIO:
    """Return a pipe that the content comes out of."""
    reader, writer = os.pipe()
    os.write(writer, CONTENT)
    os.close(writer)
    return os.fdopen(reader, "rb")


def closed(path: Path) -> BinaryIO:
    """Return a file that cannot be read any more."""
    file = path.open("rb")
    file.close()
    return file


@pytest.mark.parametrize(
    "opened",
    [
        lambda path: io.BytesIO(CONTENT),
        lambda path: OnlyRead(),
        lambda path: gzip.open(zipped(path)),
        lambda path: io.BufferedReader(gzip.open(zipped(path))),
        lambda path: written(tempfile.SpooledTemporaryFile()),
        lambda path: piped(),
    ],
    ids=["BytesIO", "read alone", "gzip", "buffered gzip", "spooled", "pipe"],
)
def test_anything_else_is_read(serve: Serve, path: Path, opened: Callable[[Path], Any]) -> None:
    """What is no regular file, or has a descriptor of other octets than it reads, is sent in chunks."""
    answers = replies(exchange(serve(Wrapping(lambda: opened(path))), asked() + asked()))
    assert [answer.body for answer in answers] == [CONTENT, CONTENT]
    assert answers[0].field("Transfer-Encoding") == "chunked"


@pytest.mark.usefixtures("here")
def test_a_closed_file(serve: Serve, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be read is the application's fault."""
    (answer,) = replies(exchange(serve(Wrapping(lambda: closed(path))), asked()))
    assert answer.status == 500
    assert "closed file" in caplog.text


def test_not_started(serve: Serve, path: Path) -> None:
    """A file without start_response is 500, as every body is."""
    (answer,) = replies(exchange(serve(lambda environ, start_response: FileWrapper(path.open("rb"))), asked()))
    assert answer.status == 500


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200 OK"), ("GET", "304 Not Modified")])
def test_without_body(serve: Serve, path: Path, method: str, status: str) -> None:
    """HEAD tells the length and sends nothing; the file is closed."""
    application = Wrapping(lambda: path.open("rb"), status)
    answers = replies(exchange(serve(application), asked(method) * 2), method, method)
    assert [answer.status for answer in answers] == [int(status[:3])] * 2
    assert answers[0].field("Content-Length") == (str(len(CONTENT)) if method == "HEAD" else None)
    assert all(file.closed for file in application.files)


def test_a_length_smaller_than_the_file(serve: Serve, path: Path) -> None:
    """As ranges are answered: from the offset, so many octets."""
    application = Wrapping(lambda: at(path.open("rb"), 10), "206 Partial Content", [("Content-Length", "20"), *TEXT])
    answers = replies(exchange(serve(application), asked() * 2))
    assert [answer.body for answer in answers] == [CONTENT[10:30]] * 2


@pytest.mark.usefixtures("here")
def test_a_length_larger_than_the_file(serve: Serve, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The connection ends, for the rest will not come."""
    application = Wrapping(lambda: path.open("rb"), fields=[("Content-Length", str(len(CONTENT) + 1)), *TEXT])
    octets = exchange(serve(application), asked() * 2)
    assert octets.endswith(b"\r\n\r\n" + CONTENT)
    assert octets.count(b"HTTP/1.1 200 OK") == 1
    assert "shorter than its Content-Length" in caplog.text


def test_http_1_0(serve: Serve, path: Path) -> None:
    """The length is known, so the connection can persist."""
    octets = asked("GET", "/", "Connection: keep-alive", version="HTTP/1.0")
    answers = replies(exchange(serve(Wrapping(lambda: path.open("rb"))), octets * 2))
    assert [answer.body for answer in answers] == [CONTENT] * 2


@pytest.mark.usefixtures("here")
def test_larger_than_the_socket(serve: Serve, tmp_path: Path) -> None:
    """A large file is exact, behind answers that were gathered and before others."""
    path = tmp_path / "large"
    content = os.urandom(LARGE)
    path.write_bytes(content)
    application = Wrapping(lambda: path.open("rb"))

    def both(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/file":
            return application(environ, start_response)
        start_response("200 OK", TEXT)
        return [b"text"]

    octets = asked() * 2 + asked("GET", "/file") + asked()
    bodies = [answer.body for answer in replies(exchange(serve(both), octets))]
    assert bodies == [b"text", b"text", content, b"text"]
    assert application.files[0].closed


def test_truncated_while_it_is_sent(serve: Serve, tmp_path: Path) -> None:
    """A file that becomes shorter than announced cuts the connection, so that the client can tell."""
    path = tmp_path / "shrinking"
    path.touch()
    os.truncate(path, 200_000_000)  # holes take no room
    application = Wrapping(lambda: path.open("rb"))
    received = 0
    with connect(serve(application)) as client:
        client.sendall(asked())
        received += len(client.recv(65536))
        os.truncate(path, 0)
        received += len(read_until_reset(client))
    assert received < 200_000_000


@pytest.mark.usefixtures("here")
def test_behind_a_middleware(serve: Serve, path: Path) -> None:
    """A wrapper that somebody wraps again is iterated; the validator is such a middleware."""
    application = Wrapping(lambda: path.open("rb"))
    (answer,) = replies(exchange(serve(validator(application)), asked()))
    assert answer.body == CONTENT
    assert application.files[0].closed


def test_a_device_is_no_file_to_be_sent() -> None:
    """Its size says nothing about what can be read."""
    with Path("/dev/zero").open("rb") as device:
        assert FileWrapper(device).segment() is None


def test_as_an_object() -> None:
    """It has `filelike`, `blksize` and a `close` only where the file has one, as wsgiref's does."""
    file = io.BytesIO(b"abcde")
    wrapper = FileWrapper(file, 2)
    assert list(wrapper) == [b"ab", b"cd", b"e"]
    wrapper.close()
    assert file.closed
    assert not hasattr(FileWrapper(OnlyRead()), "close")
    assert FileWrapper(file).blksize == 64 * 1024

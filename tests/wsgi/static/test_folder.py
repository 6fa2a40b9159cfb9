"""Where paths may lead: never outside, whatever they are made of."""

import errno
import os
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import exchange, replies
from tests.wsgi.applications import asked
from tests.wsgi.static.site import SECRET, call, write_site
from wsgiraw import Server, Static
from wsgiraw.wsgi.static.folder import Folder, names_of

UP = ["..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "%c0%ae%c0%ae", "%e0%80%ae%e0%80%ae", "..%00", "..;", "%ff.."]
SEPARATORS = ["/", "//", "/./", "%2f", "%2F%2f", "\\", "%5c", "%252f", "%c0%af"]
BEGINNINGS = ["/", "/docs/", "/index.html/", "/not-there/", "/a%20b/", "//"]
ENDINGS = ["secret.txt", "www-secret/secret.txt", "www-secret%2fsecret.txt"]

HOSTILE = [
    *(begin + up + slash + end for begin, up, slash, end in product(BEGINNINGS, UP, SEPARATORS, ENDINGS)),
    *(f"/docs/deep/er{f'{slash}{up}' * 4}{slash}secret.txt" for up, slash in product(UP, SEPARATORS)),
    *(f"{slash}etc{slash}passwd" for slash in ["//", "/%2f", "/%2F/", "/\\", "/%5c", "/file:///"]),
    *("/-secret/secret.txt", "/%2e%2e-secret/secret.txt", "/..-secret/secret.txt", "/.-secret/secret.txt"),
    *("/out.txt", "/outside/secret.txt", "/outside/www-secret/secret.txt", "/sibling/secret.txt", "/docs/out-by-two"),
    *(
        "/absolute-out",
        "/zero",
        "/loop",
        "/loop/x",
        "/dangling",
        "/fifo",
        "/fifo/",
        "/outside",
        "/outside/",
        "/sibling",
    ),
    *(
        "/linked/../../secret.txt",
        "/absolute/../../secret.txt",
        "/outside/www/small.txt",
        "/small.txt/",
        "/small.txt/x",
    ),
    *("/.env", "/.git/config", "/.git", "/.git/", "/%2egit/config", "/docs/.", "/docs/..", "/.", "/..", "/./small.txt"),
    *("/small.txt%00", "/small.txt%00.html", "/%00", "/small.txt%0a", "/C:/secret.txt", "/~root/.profile", "/CON"),
    *("/.well-known/../.env", "/.well-known/..%2f..%2fsecret.txt", "/" + "a" * 300, "/" + "a/" * 2000 + "b"),
]


def test_hostile_paths(server: Server) -> None:
    """None of them gives an octet of what is outside, or of what is hidden or no file; all are simply not there."""
    assert len(set(HOSTILE)) > 1500
    answers = replies(exchange(server, b"".join(asked("GET", target) for target in HOSTILE)))
    assert len(answers) == len(HOSTILE)
    found = [(target, answer) for target, answer in zip(HOSTILE, answers, strict=True) if answer.status != 404]
    assert found == []
    assert not any(SECRET in answer.body for answer in answers)


def test_hostile_paths_where_links_are_followed(folder: Path) -> None:
    """Links lead out then; paths do not."""
    following = Static(folder, follow_symlinks=True)
    led_out = {"/out.txt", "/outside/secret.txt", "/outside/www-secret/secret.txt", "/sibling/secret.txt"}
    led_out |= {"/docs/out-by-two", "/absolute-out"}
    for target in HOSTILE:
        answer = call(following, target)
        if target in led_out:
            assert answer.body == SECRET
        elif target == "/outside/www/small.txt":
            assert answer.status == 200
        else:
            assert answer.status == 404, target


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/link.txt", b"0123456789"),
        ("/docs/up.txt", b"0123456789"),
        ("/linked/er/page.html", b"page\n"),
        ("/docs/chain/er/page.html", b"page\n"),
        ("/absolute/deep/er/page.html", b"page\n"),
        ("/absolute/", b"docs\n"),
        ("/absolute/chain/er/page.html", b"page\n"),
        ("/.well-known/security.txt", b"Contact: mailto:a@b\n"),
        ("/a%20b/%C3%A9%20100%25.txt", b"names\n"),
        ("/docs%2findex.html", b"docs\n"),
    ],
)
def test_inside(static: Static, target: str, body: bytes) -> None:
    """Links that stay inside are followed, through others; names have any octets."""
    assert call(static, target).body == body


def test_the_way_to_the_folder_may_have_links(folder: Path, tmp_path: Path) -> None:
    """The operator has named it; it may lead somewhere else later, and links to either name of it stay inside."""
    (tmp_path / "current").symlink_to(folder)
    static = Static(tmp_path / "current")
    assert call(static, "/docs/").body == b"docs\n"
    assert call(static, "/absolute/").body == b"docs\n"
    (tmp_path / "other").mkdir()
    (tmp_path / "other/small.txt").write_text("other")
    (tmp_path / "other/self").symlink_to(tmp_path / "current")
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to(tmp_path / "other")
    assert [call(static, path).body for path in ("/small.txt", "/self/small.txt")] == [b"other"] * 2
    (tmp_path / "current").unlink()
    assert call(static, "/small.txt").status == 404


def test_links_that_go_on_and_on(tmp_path: Path) -> None:
    """So many are followed as Linux follows."""
    (tmp_path / "0").write_text("end")
    for number in range(60):
        (tmp_path / str(number + 1)).symlink_to(str(number))
    assert call(Static(tmp_path), "/40").body == b"end"
    assert call(Static(tmp_path), "/41").status == 404


def test_thousands_of_names_behind_a_file(folder: Path) -> None:
    """Nobody goes on looking for links behind what is not there: that took quadratic time."""
    began = time.process_time()
    for first in (b"small.txt", b"link.txt", b"linked", b"dangling"):
        assert Folder(str(folder)).open([first, *[b"a"] * 60_000]) is None
    assert time.process_time() - began < 5


def test_what_is_swapped_while_we_look(tmp_path: Path) -> None:
    """A directory that becomes a link to the outside, and back, at any moment: never an octet from there."""
    www = write_site(tmp_path)
    for name in ("secret.txt", "page.txt"):
        (tmp_path / "www-secret" / name).write_bytes(SECRET)
    (www / "flip").mkdir()
    (www / "flip/page.txt").write_text("page")
    (www / "bait").symlink_to("../www-secret")
    static = Static(www)
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            (www / "flip").rename(www / "aside")
            (www / "bait").rename(www / "flip")
            (www / "flip").rename(www / "bait")
            (www / "aside").rename(www / "flip")

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        answers = {call(static, f"/{name}").body for _ in range(200) for name in ("flip/page.txt", "flip/secret.txt")}
    finally:
        done.set()
        swapping.join()
    assert answers <= {b"page", b"there is no such file\n"}
    assert b"page" in answers or len(answers) == 1


@contextmanager
def no_more_descriptors() -> Iterator[None]:
    """Nothing can be opened inside."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_descriptors(folder: Path) -> None:
    """That is no 404: the file is there, and it is not the client's fault."""
    with no_more_descriptors(), pytest.raises(OSError, match="Too many open files") as caught:
        Folder(str(folder)).open([b"small.txt"])
    assert caught.value.errno == errno.EMFILE


def test_no_descriptor_is_left(folder: Path) -> None:
    """Whatever was asked for."""
    static = Static(folder, listing=True)
    before = os.listdir("/proc/self/fd")  # noqa: PTH208
    for target in [
        *HOSTILE[::50],
        *HOSTILE[-60:],
        "/",
        "/docs",
        "/docs/",
        "/bare/",
        "/app.js",
        "/large.bin",
        "/linked/",
    ]:
        for variables in [{}, {"HTTP_RANGE": "bytes=0-1,5000-5001"}, {"HTTP_ACCEPT_ENCODING": "gzip"}]:
            call(static, target, **variables)
            call(static, target, "HEAD", **variables)
    assert os.listdir("/proc/self/fd") == before  # noqa: PTH208


@given(st.lists(st.sampled_from(["..", ".", "", "a", "\0", "\\", ".git", "..a", "\xc0\xae", "\u1234", "a.b"])))
def test_names(parts: list[str]) -> None:
    """Whatever is left of a path is a list of plain names."""
    names = names_of("/" + "/".join(parts))
    if names is not None:
        assert b"/" + b"/".join(names) == ("/" + "/".join(parts)).encode("latin-1")
        assert all(names[:-1])
        assert not any(name.startswith(b".") or b"\0" in name or b"\\" in name for name in names)


PIECES = [
    "/",
    "..",
    "%2e",
    ".",
    "%2f",
    "\\",
    "secret.txt",
    "www",
    "www-secret",
    "docs",
    "outside",
    "out.txt",
    "%00",
    "sub",
]


@given(st.lists(st.sampled_from(PIECES), max_size=9))
def test_never_outside(static: Static, pieces: list[str]) -> None:
    """Whatever a path is made of."""
    answer = call(static, "/" + "".join(pieces))
    assert answer.status in (200, 301, 404)
    assert SECRET not in answer.body


def test_paths_that_are_none() -> None:
    """An empty one is the folder itself; one without a slash at the beginning leads nowhere."""
    assert names_of("") == []
    assert names_of("/") == [b""]
    assert names_of("a/b") is None

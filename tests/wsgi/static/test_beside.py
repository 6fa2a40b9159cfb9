"""Folders beside applications: on the command line, in `Server`, and who answers for which path."""

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.process import curl, running, write_site
from tests.wsgi.static.site import call, over_sockets
from tests.wsgi.static.test_application import application
from wsgiraw import ConfigError, Mount, Server, Static, cli
from wsgiraw.config import configure
from wsgiraw.config.static import parse_static
from wsgiraw.sources import gather
from wsgiraw.wsgi import beside


def serving(folder: str, otherwise: object) -> Static:
    """Serve a folder."""
    return Static(folder, otherwise=otherwise)  # type: ignore[arg-type]


def test_at_the_root(folder: Path) -> None:
    """The file if there is one, else the application."""
    together = beside(application, {"/": str(folder)}, serving)
    assert call(together, "/small.txt").body == b"0123456789"
    assert call(together, "/none").body == b"GET  /none"


def test_below_a_prefix(folder: Path) -> None:
    """The folder has all that lies there."""
    together = beside(application, {"/assets": str(folder)}, serving)
    assert call(together, "/assets/small.txt").body == b"0123456789"
    assert call(together, "/assets/none").status == 404
    assert call(together, "/assetsx").body == b"GET  /assetsx"


def test_beside_mounted_applications(folder: Path) -> None:
    """The longest prefix wins, whoever has it; at the same one, the file if there is one."""
    mount = Mount({"/": application, "/shop": application, "/assets/api": application})
    folders = {"/": str(folder), "/shop": str(folder / "docs"), "/assets": str(folder), "/\u00e9": str(folder)}
    together = beside(mount, folders, serving)
    for target, body in {
        "/small.txt": b"0123456789",
        "/none": b"GET  /none",
        "/shop/": b"docs\n",
        "/shop/small.txt": b"GET /shop /small.txt",
        "/assets/small.txt": b"0123456789",
        "/assets/api/small.txt": b"GET /assets/api /small.txt",
        "/%C3%A9/small.txt": b"0123456789",
    }.items():
        assert call(together, target).body == body
    assert call(together, "/assets/none").status == 404
    assert set(mount.applications) == {"", "/shop", "/assets/api"}


def test_alone(folder: Path) -> None:
    """Without any application, a folder at the root is all there is."""
    assert isinstance(beside(Mount({}), {"/": str(folder)}, serving), Static)
    below = beside(Mount({}), {"/assets": str(folder)}, serving)
    assert call(below, "/small.txt").body == b"no application is mounted here\n"


def test_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its options, as those of the command line; a directory is seen from chdir."""
    monkeypatch.chdir(folder.parent.parent)
    options: dict[str, Any] = {"static_listing": True, "static_cache_control": "max-age=60", "follow_symlinks": True}
    static = ["www", "/d=www/docs"]
    with Server(application, port=0, chdir=folder.parent.name, static=static, lint=True, **options) as server:
        monkeypatch.chdir("/")
        assert over_sockets(server, "/none").body == b"GET  /none"
        assert over_sockets(server, "/d/").field("Cache-Control") == "max-age=60"
        assert b"only.txt" in over_sockets(server, "/bare/").body
        assert over_sockets(server, "/out.txt").body.startswith(b"SECRET")


def test_server_refuses(folder: Path) -> None:
    """A directory that is not there."""
    with pytest.raises(ConfigError, match="no such directory"):
        Server(application, port=0, static=str(folder / "none"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("public", ("/", "public")),
        ("/srv/www", ("/", "/srv/www")),
        ("/=/srv/a=b", ("/", "/srv/a=b")),
        ("/assets=dist", ("/assets", "dist")),
        ("/assets/=/srv/dist", ("/assets", "/srv/dist")),
        ("a=b", ("/", "a=b")),
    ],
)
def test_values(text: str, found: tuple[str, str]) -> None:
    """A prefix begins with a slash and ends before the first equals sign."""
    assert parse_static(text) == found


@pytest.mark.parametrize(
    ("static", "message"),
    [
        (["/assets="], "names no directory: write /assets=DIR"),
        (["/a//b=c"], "plain path"),
        (["/a%20=c"], "plain path"),
        (["a", "b"], "two directories at /"),
        (["/a=b", "/a/=c"], "two directories at /a"),
        ([""], "is empty"),
    ],
)
def test_values_that_are_refused(static: list[str], message: str) -> None:
    """What is the operator's fault is said at once."""
    with pytest.raises(ConfigError, match=message):
        configure(static=static)


def test_sources(tmp_path: Path) -> None:
    """A flag several times, a variable with commas, a list in a file."""
    flags = {"static": ["a", "/b=c"]}
    assert gather(flags, {}, tmp_path).config.static == ("a", "/b=c")
    assert gather({}, {"WSGIRAW_STATIC": "a,/b=c"}, tmp_path).config.static == ("a", "/b=c")
    (tmp_path / "wsgiraw.toml").write_text('static = ["a", "/b=c"]\n')
    assert gather({}, {}, tmp_path).config.static == ("a", "/b=c")


def test_check(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`--check` says what will be served."""
    monkeypatch.chdir(folder)
    assert cli.main(["--check", "--static", "/d=docs"]) == 0
    assert capsys.readouterr().out == "wsgiraw: yes, docs is a directory to be served at /d\n"
    assert cli.main(["--check", "--static", "none"]) == 2
    assert "no such directory" in capsys.readouterr().err


def release(folder: Path, name: str) -> None:
    """Put a release of a site into a folder."""
    (folder / name / "public").mkdir(parents=True)
    (folder / name / "public/page.txt").write_text(f"{name}\n")


def test_command_line_alone(tmp_path: Path) -> None:
    """`--static DIR` is enough; the directory is seen from chdir, and a reload sees where that leads then."""
    release(tmp_path, "first")
    release(tmp_path, "second")
    (tmp_path / "current").symlink_to("first")
    with running(tmp_path, "--static", "public", "--chdir", "current", "--port", "0") as process:
        url = f"http://127.0.0.1:{process.port()}/page.txt"
        assert curl(url) == "first"
        (tmp_path / "next").symlink_to("second")
        (tmp_path / "next").rename(tmp_path / "current")
        assert curl(url) == "second"
        assert process.stop() == 0


def test_command_line_beside_an_application(tmp_path: Path) -> None:
    """And what is not there any more at a reload changes nothing."""
    write_site(tmp_path)
    release(tmp_path, "dist")
    with running(tmp_path, "site_of_ours:app", "--static", "/assets=dist/public", "--port", "0") as process:
        url = f"http://127.0.0.1:{process.port()}"
        assert curl(f"{url}/assets/page.txt") == "dist"
        assert curl(f"{url}/page.txt") == "from 127.0.0.1"
        (tmp_path / "dist").rename(tmp_path / "gone")
        process.signal(signal.SIGHUP)
        process.line("no such directory")
        assert curl(f"{url}/page.txt") == "from 127.0.0.1"
        assert process.stop() == 0


def test_command_line_without_the_directory(tmp_path: Path) -> None:
    """It says so, and does not start."""
    with running(tmp_path, "--static", "none", "--port", "0") as process:
        assert process.wait() == 2
        assert any("no such directory: give an existing one" in line for line in process.lines)

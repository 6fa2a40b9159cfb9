"""What an operator sees: log lines as octets in files, on terminals and where nothing can be written."""

import io
import logging
import os
import pty
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.strategies.applications import GET, hello
from tests.wire import exchange
from wsgiraw import ConfigError
from wsgiraw.clock import Clock
from wsgiraw.observe import AccessLog, banner, log, open_access_log, reopen, set_up_error_log, wants_colour

DATE = r"\[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} [+-][0-9]{4}\]"


@pytest.fixture
def untouched_log() -> Iterator[None]:
    """Put the error log back as it was."""
    before = list(log.handlers), log.level, log.propagate
    yield
    log.handlers[:], level, log.propagate = before
    log.setLevel(level)  # which also forgets what was enabled


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[io.TextIOWrapper, int]]:
    """A terminal and the descriptor on which its other side is read."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    ours, theirs = pty.openpty()
    with open(theirs, "w") as file:  # noqa: PTH123
        yield file, ours
    os.close(ours)


def lines(serve: Serve, path: Path, octets: bytes) -> list[str]:
    """Return the access log of one connection."""
    server = serve(hello, access_logfile=str(path))
    exchange(server, octets)
    server.close()
    return path.read_text("ascii").splitlines()


def test_combined_format(serve: Serve, tmp_path: Path) -> None:
    request = GET.replace(b"\r\n\r\n", b"\r\nReferer: http://b/?c\r\nUser-Agent: curl/8 (x)\r\n\r\n")
    full, bare = lines(serve, tmp_path / "log", request + b"HEAD /x?y=1 HTTP/1.0\r\n\r\n")
    assert re.fullmatch(rf'127\.0\.0\.1 - - {DATE} "GET / HTTP/1\.1" 200 7 "http://b/\?c" "curl/8 \(x\)"', full)
    assert re.fullmatch(rf'127\.0\.0\.1 - - {DATE} "HEAD /x\?y=1 HTTP/1\.0" 200 - "-" "-"', bare)


def test_refusals_are_logged(serve: Serve, tmp_path: Path) -> None:
    (line,) = lines(serve, tmp_path / "log", b"\x16\x03\x01")
    assert re.fullmatch(rf'127\.0\.0\.1 - - {DATE} "-" 400 [0-9]+ "-" "-"', line)


def test_what_a_client_sends_cannot_forge_a_line(serve: Serve, tmp_path: Path) -> None:
    request = b'GET /"\\ HTTP/1.1\r\nHost: a\r\nReferer: " 200 0 "\r\nUser-Agent: \xc3\xa9\t\x80\\x\r\n\r\n'
    (line,) = lines(serve, tmp_path / "log", request)
    assert r'"GET /\x22\x5c HTTP/1.1" 200' in line
    assert line.endswith(r'"\x22 200 0 \x22" "\xc3\xa9\x09\x80\x5cx"')


def test_every_octet_that_could_hurt_is_escaped(tmp_path: Path) -> None:
    path = tmp_path / "log"
    access_log = open_access_log(str(path), Clock())
    assert access_log is not None
    octets = bytes(range(256)).decode("latin-1")
    access_log.write("::1", octets, 200, 0, {"HTTP_USER_AGENT": octets})
    access_log.write("", "plain", 200, 0, {})
    access_log.close()
    escaped, plain = path.read_bytes().splitlines()
    assert escaped.startswith(b"::1 - - [")
    assert all(0x20 <= octet < 0x7F for octet in escaped)
    assert escaped.count(b'"') == 6
    for octet in [*range(0x20), 0x22, 0x5C, *range(0x7F, 0x100)]:
        assert escaped.count(b"\\x%02x" % octet) == 2
    assert plain.startswith(b"- - - [")


def test_an_address_that_is_not_ascii_costs_nobody_an_answer(tmp_path: Path) -> None:
    """Zones of IPv6 are names of interfaces."""
    access_log = open_access_log(str(tmp_path / "log"), Clock())
    assert access_log is not None
    access_log.write("fe80::1%\xe9th0", "GET / HTTP/1.1", 200, 0, {})
    access_log.close()
    assert (tmp_path / "log").read_text("ascii").startswith("fe80::1%\\xe9th0 - - ")


def test_it_appends(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("before\n")
    access_log = open_access_log(str(path), Clock())
    assert access_log is not None
    access_log.write("", "x", 200, 1, {})
    access_log.close()
    assert path.read_text().startswith("before\n- - - [")


@pytest.mark.parametrize(("status", "colour"), [(200, "32"), (304, "36"), (404, "33"), (500, "31")])
def test_a_terminal_gets_colours(terminal: tuple[io.TextIOWrapper, int], status: int, colour: str) -> None:
    file, other_side = terminal
    AccessLog(file, Clock()).write("", "x", status, 1, {})
    assert f'"x" \x1b[{colour}m{status}\x1b[0m 1 "-" "-"' in os.read(other_side, 1000).decode()


def test_a_status_without_a_colour(terminal: tuple[io.TextIOWrapper, int]) -> None:
    file, other_side = terminal
    AccessLog(file, Clock()).write("", "x", 101, 1, {})
    assert '"x" 101\x1b[0m 1' in os.read(other_side, 1000).decode()


def test_no_colours_for_who_does_not_want_them(
    terminal: tuple[io.TextIOWrapper, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file, other_side = terminal
    assert wants_colour(file)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colour(file)
    AccessLog(file, Clock()).write("", "x", 200, 1, {})
    assert '"x" 200 1 "-" "-"' in os.read(other_side, 1000).decode()
    monkeypatch.setenv("NO_COLOR", "")  # no-color.org: only when not empty
    assert wants_colour(file)
    with (tmp_path / "file").open("w") as plain:
        assert not wants_colour(plain)


def test_where_the_access_log_goes(terminal: tuple[io.TextIOWrapper, int], monkeypatch: pytest.MonkeyPatch) -> None:
    file, other_side = terminal
    clock = Clock()
    assert open_access_log("off", clock) is None
    with open(os.devnull, "w") as no_terminal:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", no_terminal)
        assert open_access_log(None, clock) is None
        access_log = open_access_log("-", clock)
        assert access_log is not None
        access_log.close()
        assert not no_terminal.closed  # it is not ours
    monkeypatch.setattr(sys, "stdout", file)
    by_default = open_access_log(None, clock)
    assert by_default is not None
    by_default.write("", "x", 200, 1, {})
    assert os.read(other_side, 1000)
    monkeypatch.setattr(sys, "stdout", None)
    assert open_access_log(None, clock) is None
    with pytest.raises(ConfigError, match="standard output, which is closed"):
        open_access_log("-", clock)


def test_a_log_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"cannot write the log {tmp_path}: Is a directory"):
        open_access_log(str(tmp_path), Clock())
    with pytest.raises(ConfigError, match=f"cannot write the log {tmp_path}/none/log: No such file or directory"):
        set_up_error_log(f"{tmp_path}/none/log", "info")


def test_a_full_disk_costs_nobody_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    access_log = open_access_log("/dev/full", Clock())
    assert access_log is not None
    access_log.write("", "x", 200, 1, {})
    access_log.close()
    assert "access log: [Errno 28] No space left on device" in caplog.text


@pytest.mark.usefixtures("untouched_log")
def test_error_log_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "errors"
    with set_up_error_log(str(path), "warning") as stream:
        log.info("not this")
        log.warning("but this: é")
        stream.write("wsgi.errors\n")
        shown = path.read_text("utf-8")  # at once, line by line
    assert re.fullmatch(rf"\[.+\] \[{os.getpid()}\] \[WARNING\] but this: é\nwsgi.errors\n", shown)


@pytest.mark.usefixtures("untouched_log")
def test_error_log_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert set_up_error_log("-", "debug") is sys.stderr
    set_up_error_log("-", "debug")  # in place of the first, not besides
    log.debug("once")
    assert capsys.readouterr().err.count("once") == 1
    assert not log.propagate
    assert log.level == logging.DEBUG


def test_a_log_is_reopened_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "log"
    access_log = open_access_log(str(path), Clock())
    assert access_log is not None
    access_log.write("", "before", 200, 1, {})
    path.rename(tmp_path / "log.1")
    access_log.reopen()
    access_log.write("", "after", 200, 1, {})
    access_log.close()
    assert "before" in (tmp_path / "log.1").read_text()
    assert "after" in path.read_text()
    assert "after" not in (tmp_path / "log.1").read_text()


def test_a_log_that_cannot_be_reopened_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    access_log = open_access_log(str(folder / "log"), Clock())
    assert access_log is not None
    folder.rename(tmp_path / "gone")
    access_log.reopen()
    access_log.write("", "after", 200, 1, {})
    access_log.close()
    assert "cannot reopen the log" in caplog.text
    assert "after" in (tmp_path / "gone" / "log").read_text()


def test_standard_streams_are_left_alone() -> None:
    reopen(sys.stdout)
    reopen(sys.stderr)


def test_banner() -> None:
    said = banner("1.2", ["http://a:1", "unix:/b"], "eventloop")
    assert said == f"wsgiraw 1.2 · eventloop · pid {os.getpid()} · http://a:1 unix:/b · Ctrl-C stops it"

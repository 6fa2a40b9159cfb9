"""`wsgiraw trace`: one request without a socket, its exit codes, and the excerpt in docs/tracing.md."""

import io
import json
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trace.events import SECRET, Event, named, octets
from wsgiraw import cli
from wsgiraw.observe import log

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "tracing.md"
APPLICATION = "tests.trace.events:application"

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`wsgiraw trace` in this process: exit code, stdout, stderr."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name, value in {"handlers": [*log.handlers], "level": log.level, "propagate": log.propagate}.items():
        monkeypatch.setattr(log, name, value)  # the command has a process of its own otherwise, and sets them
    monkeypatch.chdir(ROOT)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["trace", *arguments])
        return (code, *capsys.readouterr())

    return run


def lines(text: str) -> list[Event]:
    return [json.loads(line) for line in text.splitlines()]


def normalised(text: str) -> str:
    """Return a trace without what differs from one time to the next."""
    text = re.sub(r"^\d+ ", "4711 ", text, flags=re.MULTILINE)
    text = re.sub(r" +\d+\.\d{3} ms ", "     0.000 ms ", text)
    text = re.sub(r"(arriving|parsing|waiting|application|sending) \d+\.\d{3}", r"\1 0.000", text)
    return re.sub(r"Date: .*|wsgiraw/[0-9.]+|wsgi.errors = .*", "-", text)


def test_the_document_shows_what_it_prints(command: Command) -> None:
    (block,) = re.findall(r"^```console\n\$ wsgiraw trace (.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    arguments, _, shown = block.partition("\n")
    code, out, err = command(*shlex.split(arguments))
    assert (code, err) == (0, "")
    assert normalised(out) == normalised(shown)


def test_a_body_and_fields(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "body").write_bytes(b"from a file")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"from stdin")))
    for given, body, media_type in (
        (["--data", "a=é"], "a=é", "application/x-www-form-urlencoded"),
        (["--json", "{}"], "{}", "application/json"),
        (["-d", f"@{tmp_path}/body", "-H", "content-type: text/x"], "from a file", "text/x"),
        (["-d", "-"], "from stdin", "application/x-www-form-urlencoded"),
    ):
        code, out, err = command(APPLICATION, "PUT", "/x?y=z", "--trace-json", "-", "-H", f"Cookie: {SECRET}", *given)
        assert (code, err) == (0, "")
        assert SECRET not in out
        events = lines(out)
        assert octets(events, "received").endswith(b"\r\n\r\n" + body.encode())
        (environ,) = named(events, "environ")
        variables = environ["variables"]
        assert (variables["CONTENT_TYPE"], variables["QUERY_STRING"]) == (media_type, "y=z")
        assert octets(events, "sent").endswith(f"/x has a body of {len(body.encode())}\n".encode())


@pytest.mark.parametrize(
    ("arguments", "code", "event"),
    [
        ((), 0, "done"),
        (("GET", "/stream"), 0, "done"),
        (("GET", "/write"), 0, "done"),
        (("GET", "/fail"), 1, "done"),
        (("GET", "/break"), 1, "done"),
        (("GET", "not a target"), 0, "sent"),
        (("CONNECT", "a:80"), 1, "sent"),  # 501
        (("GET", "/", "-H", "Content-Length: 5", "-H", "Expect: 100-continue"), 0, "sent"),  # it ends in its body
    ],
)
def test_exit_codes(arguments: tuple[str, ...], code: int, event: str, command: Command, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    got, out, err = command(APPLICATION, *arguments, "--lint", f"--trace-json={path}")
    assert got == code
    assert (" failed: LookupError" in out) == ("LookupError" in err) == (arguments[1:] in (("/fail",), ("/break",)))
    events = lines(path.read_text())
    assert events[-1]["event"] == event
    assert len(named(events, "received", "sent")) == len(re.findall(r" ms [<>] ", out))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "the following arguments are required: app; see wsgiraw trace --help"),
        ((APPLICATION, "GET", "/", "--hedaer", "x"), 2, "there is no flag --hedaer: did you mean '--header'?"),
        ((APPLICATION, "-d", "x", "--json", "y"), 2, "--json: not allowed with argument -d/--data; see"),
        ((APPLICATION, "-d", "@/nowhere"), 2, "cannot read the body from /nowhere: No such file"),
        (("tests.trace.events:nothing",), 1, "nothing"),
    ],
)
def test_mistakes(arguments: tuple[str, ...], code: int, message: str, command: Command) -> None:
    got, out, err = command(*arguments)
    assert (got, out) == (code, "")
    assert message in err


def test_help(command: Command) -> None:
    code, out, _ = command("--help")
    assert code == 0
    assert "usage: wsgiraw trace [options] package.module:app [METHOD [TARGET]]" in out

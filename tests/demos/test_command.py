"""`wsgiraw demo`: the list, faults, help, and how a demo ends."""

import re
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demos.conftest import Start
from tests.process import command, environment
from wsgiraw import cli
from wsgiraw.demos import calculator
from wsgiraw.demos.command import CHAPTERS, listen
from wsgiraw.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = [name for chapter in CHAPTERS.values() for name in chapter]

Outcome = tuple[int, str, str]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Outcome:
    code = cli.main(["demo", *arguments])
    return (code, *capsys.readouterr())


def test_the_list_has_every_demo_with_a_sentence_and_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys)
    assert (code, err) == (0, "")
    assert run(capsys, "--help") == (0, out, "")
    listed = re.findall(r"^  ([a-z0-9-]+)(?: \S+)?\s+([A-Z].*\.)\n {16}\$ (\S.*)$", out, re.MULTILINE)
    assert [name for name, _, _ in listed] == NAMES
    assert max(map(len, out.splitlines())) <= 120
    assert "{" not in out.replace('{"op"', "")


def test_every_file_is_listed() -> None:
    files = {file.stem for file in (ROOT / "wsgiraw" / "demos").glob("*.py")}
    assert files - {"__init__", "command", "arguments"} == {name.replace("-", "_") for name in NAMES}


def test_files_are_short() -> None:
    assert len((ROOT / "wsgiraw/demos/wsgi.py").read_text().splitlines()) < 100


@pytest.mark.parametrize("name", NAMES)
def test_help(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, out, err = run(capsys, name, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: wsgiraw demo {name} ")
    assert "--host" in out
    assert "\nTry it with:\n  " in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["greter"], "there is no demo 'greter': did you mean 'greeter'?"),
        (["x"], "there is no demo 'x'; wsgiraw demo lists them"),
        (["greeter", "--prot", "1"], "there is no flag --prot: did you mean '--port'?"),
        (["greeter", "--port", "x"], "--port: 'x' is no port: give 0 to 65535; see wsgiraw demo greeter --help"),
        (
            ["greeter", "--port", "65536"],
            "--port: '65536' is no port: give 0 to 65535; see wsgiraw demo greeter --help",
        ),
        (
            ["fork", "--seconds", "-1"],
            "--seconds: '-1' is no time: give 0 to 3600 seconds; see wsgiraw demo fork --help",
        ),
        (["fork", "--seconds", "a"], "--seconds: 'a' is no time: give 0 to 3600 seconds; see wsgiraw demo fork --help"),
        (
            ["load", "--clients", "0"],
            "--clients: '0' is no number of these: give 1 to 10000; see wsgiraw demo load --help",
        ),
        (["greeter", "more"], "'more' is one argument too many; see wsgiraw demo greeter --help"),
        (["docroot", "none"], "DIR: 'none' is no directory: give one that exists; see wsgiraw demo docroot --help"),
        (["docroot"], "the following arguments are required: DIR; see wsgiraw demo docroot --help"),
    ],
)
def test_faults_are_one_line_and_exit_2(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert run(capsys, *arguments) == (2, "", f"wsgiraw: {message}\n")


def refused(folder: Path, *arguments: str) -> Outcome:
    """Run a demo that cannot start."""
    done = subprocess.run(
        command("demo", *arguments), cwd=folder, env=environment(), capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        message = f"wsgiraw: 127.0.0.1 port {port}: Address already in use: try another with --port\n"
        assert refused(tmp_path, "greeter", "--port", str(port)) == (2, "", message)


def test_a_host_that_is_not_ours() -> None:
    with pytest.raises(ConfigError, match=r"^192\.0\.2\.1 port 0: .+: try another with --host$"):  # RFC 5737: nobody's
        listen("192.0.2.1", 0)


def test_no_descriptor_left_is_no_traceback(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # which needs a descriptor at its end
    demo = start("nonblocking")
    resource.prlimit(demo.pid, resource.RLIMIT_NOFILE, (3, 3))  # it asks for a client all the time
    assert demo.wait() == 2
    assert demo.said().endswith("\nwsgiraw: nonblocking cannot go on: Too many open files\n")
    assert "Traceback" not in demo.said()


def test_the_calculator_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an installed package: apps/ is beside it only in the repository."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if not (Path(entry) / "apps").exists()])
    for name in [name for name in sys.modules if name.partition(".")[0] == "apps"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ConfigError, match=r"there is no apps/calculator\.py here: start it in a clone"):
        calculator.imported()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_how_a_demo_ends(start: Start, number: signal.Signals) -> None:
    demo = start("greeter", "--host", "127.0.0.1")
    with demo.connect() as client:
        client.recv(100)
        demo.process.send_signal(number)
        demo.process.send_signal(number)  # impatient
        assert demo.wait() == 130
    assert demo.said().count("\n") == 1

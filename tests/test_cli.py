"""The command: exit codes, what goes to which stream, and that it starts the server. Real processes where it counts."""

import importlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wsgiraw import __version__, cli
from wsgiraw.config import Config
from wsgiraw.options import declared

ROOT = Path(__file__).parent.parent
APPLICATION = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]

def create_app(): return app
"""


def clean_environment() -> dict[str, str]:
    ours = ("WSGIRAW_", "PORT", "WEB_CONCURRENCY")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in set(os.environ) - set(clean_environment()):
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web.py").write_text(APPLICATION)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if not name.startswith("wsgiraw"):
            del sys.modules[name]


Outcome = tuple[int, str, str]
Command = Callable[..., Outcome]


@pytest.fixture
def command(place: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """`wsgiraw` in this process: exit code, stdout, stderr."""

    def run(*arguments: str) -> Outcome:
        code = cli.main(arguments)
        return (code, *capsys.readouterr())

    return run


@pytest.fixture
def process(place: Path) -> Command:
    """`python -m wsgiraw` in a process of its own."""

    def run(*arguments: str, **environ: str) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "wsgiraw", *arguments],
            cwd=place,
            env={**clean_environment(), "PYTHONPATH": str(ROOT), **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


# Real processes.


def test_a_bare_command_shows_an_example(process: Command) -> None:
    code, out, err = process()
    assert (code, out) == (2, "")
    assert err.startswith("usage: wsgiraw [options] package.module:app\n")
    assert "wsgiraw mysite.web:app" in err
    assert "wsgiraw --static public" in err
    assert len(err.splitlines()) < 10


def test_version(process: Command) -> None:
    code, out, err = process("--version")
    assert (code, err) == (0, "")
    assert out.startswith(f"wsgiraw {__version__} (")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "70000", "web:app"], "port 70000 is out of range: give 0 to 65535 (flag --port)"),
        (["--prot", "80", "web:app"], "there is no flag --prot: did you mean '--port'?"),
        (["--prot=80", "web:app"], "there is no flag --prot: did you mean '--port'?"),
        (
            ["-D", "web:app"],
            "--daemon is not offered: what starts wsgiraw in the background should also watch it and keep its output; "
            "use a systemd unit, a container, or nohup wsgiraw ... &",
        ),
        (["-zzzz", "web:app"], "there is no flag -zzzz; see wsgiraw --help"),
        (["web:app", "--port"], "--port: expected one argument; see wsgiraw --help"),
        (["web:app", "--por", "80"], "there is no flag --por: did you mean '--port'?"),
        (["--config", "no.toml", "web:app"], "configuration file no.toml: No such file or directory"),
        (["--check", "--chdir", "no", "web:app"], "chdir 'no': No such file or directory: give an existing directory"),
        (["--check", "web:app", "/x=web:app"], None),
    ],
)
def test_usage_errors_are_one_line_and_exit_2(process: Command, arguments: list[str], message: str | None) -> None:
    code, out, err = process(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("wsgiraw: ")
    assert err.count("\n") == 1
    if message is not None:
        assert err == f"wsgiraw: {message}\n"


def test_check_says_yes(process: Command) -> None:
    code, out, err = process("--check", "web:app")
    assert (code, err) == (0, "")
    assert out == "wsgiraw: yes, web:app is a WSGI application (builtins.function)\n"


def test_check_says_why_not(process: Command, place: Path) -> None:
    assert process("--check", "web:ap") == (
        1,
        "",
        "wsgiraw: 'web:ap': web has no attribute 'ap': did you mean 'app'?\n",
    )
    (place / "faulty.py").write_text("import no_such_library\n")
    code, out, err = process("--check", "faulty:app")
    assert (code, out) == (1, "")
    assert err.startswith("Traceback (most recent call last):\n")
    assert err.endswith(
        "wsgiraw: 'faulty:app' fails on import: ModuleNotFoundError: No module named 'no_such_library'\n"
    )
    assert "wsgiraw/" not in err.removesuffix(err.splitlines()[-1])


def test_environment_and_files_are_read(process: Command, place: Path) -> None:
    (place / "wsgiraw.toml").write_text("app = 'web:create_app'\nfactory = true\n")
    code, out, _ = process("--check")
    assert (code, out) == (0, "wsgiraw: yes, web:create_app is a WSGI application (builtins.function)\n")
    code, out, _ = process("--print-config", PORT="5000", WSGIRAW_LINT="on")
    assert code == 0
    lines = [line.split("  # ") for line in out.splitlines()]
    shown = {value.strip(): origin for value, origin in lines}
    assert shown['app = ["web:create_app"]'] == "wsgiraw.toml:app"
    assert shown["port = 5000"] == shown['host = "0.0.0.0"'] == "environment PORT"
    assert shown["lint = true"] == "environment WSGIRAW_LINT"
    assert shown["keep_alive = 75"] == "default"


def test_an_interrupted_import_ends_quietly(process: Command, place: Path) -> None:
    # Where the tests run in the background, a shell has SIGINT ignored.
    handler = "signal.signal(signal.SIGINT, signal.default_int_handler)"
    source = f"import os, signal\n{handler}\nos.kill(os.getpid(), signal.SIGINT)\nraise AssertionError\n"
    (place / "slow.py").write_text(source)
    assert process("--check", "slow:app") == (128 + signal.SIGINT, "", "")


# In this process.


def test_importing_the_entry_point_starts_nothing() -> None:
    assert importlib.import_module("wsgiraw.__main__").main is cli.main


def test_help_lists_every_option_with_its_facts(command: Command) -> None:
    code, out, err = command("--help")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 90
    text = " ".join(out.split())
    for option in declared(Config).values():
        assert option.variable in text
        assert f"\n{option.group}:\n" in out
        assert option.name == "app" or f"{option.flag}" in out
    assert "[default 75 seconds; 0 to 86400; WSGIRAW_KEEP_ALIVE]" in text
    # Python 3.13 writes the metavar once, earlier ones after each flag.
    assert "-b ADDRESS, --bind ADDRESS" in text or "-b, --bind ADDRESS" in text
    assert "--error-logfile FILE, --log-file FILE" in text or "--error-logfile, --log-file FILE" in text
    assert "--lint, --no-lint" in text


def test_help_wins_over_mistakes_elsewhere(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSGIRAW_PORT", "x")
    assert command("--help", "--nonsense")[0] == 0
    assert command("--version")[0] == 0
    assert command("web:app")[0] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["web:app", "--port", "1"],
        ["--port", "1", "web:app"],
        ["--port=1", "--", "web:app"],
        ["--port", "2", "--port", "1", "web:app"],
    ],
)
def test_flags_and_the_application_stand_in_any_order(command: Command, arguments: list[str]) -> None:
    _, out, _ = command("--print-config", *arguments)
    assert 'app = ["web:app"]' in out
    assert "port = 1 " in out


def test_mounts_flags_given_twice_and_switches(command: Command) -> None:
    _, out, _ = command(
        "/=web:app", "-b", ":1", "/x=web", "--bind", ":2", "--no-lint", "--log-file", "x", "--print-config"
    )
    assert 'app = ["/=web:app", "/x=web"]' in out
    assert 'bind = [":1", ":2"]' in out
    assert "lint = false" in out
    assert 'error_logfile = "x"' in out


@pytest.mark.parametrize("flag", ["-k", "--worker-class", "--strategy"])
def test_gunicorns_names_of_strategies(command: Command, flag: str) -> None:
    assert 'strategy = "serial"' in command("--print-config", flag, "sync")[1]
    assert 'strategy = "handoff"' in command("--print-config", flag, "gthread")[1]


def test_check_of_mounts(command: Command) -> None:
    code, out, _ = command("--check", "/=web:app", "/x=web:create_app()")
    assert code == 0
    assert out == (
        "wsgiraw: yes, web:app is a WSGI application at / (builtins.function)\n"
        "wsgiraw: yes, web:create_app() is a WSGI application at /x (builtins.function)\n"
    )


def test_arguments_default_to_those_of_the_process(monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    monkeypatch.setattr(sys, "argv", ["wsgiraw", "--version"])
    assert cli.main() == 0


# Serving.

SERVE = """
    import os, sys, types
    from wsgiraw.cli import main

    def run(config, reread):
        assert reread() == config
        print(config.app, config.addresses)
        return 7

    sys.modules["wsgiraw.launch"] = types.SimpleNamespace(run=run, start_directory=os.getcwd)
    sys.exit(main(["web:app", "--port", "9"]))
"""


def test_the_configuration_goes_to_the_server_and_its_exit_code_out(place: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SERVE)],
        cwd=place,
        env={**clean_environment(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, "('web:app',) ('127.0.0.1:9',)\n", "")

"""Servers as data: their command lines, their shapes, what is installed, and which servers names mean."""

import sys
from pathlib import Path

import pytest

from wsgiraw.compare.servers import command_lines
from wsgiraw.compare.servers.chosen import chosen
from wsgiraw.compare.servers.peers import PEERS, STRATEGIES
from wsgiraw.errors import ConfigError
from wsgiraw.version import __version__

APPLICATION = "site:app"


def line(name: str, workers: int = 2, threads: int = 4) -> str:
    """The command line without what differs from machine to machine."""
    (peer,) = chosen([name])
    words = peer.command(APPLICATION, 8123, workers, threads)
    names = {sys.executable: "python", command_lines.RUNNER: "runner.py"}
    return " ".join(names.get(word, word) for word in words)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wsgiraw", "--workers 2 --threads 4 --keep-alive 75 --access-logfile off site:app"),
        ("wsgiraw-pooled", "--workers 2 --strategy pooled --threads 4 --keep-alive 75 --access-logfile off site:app"),
        ("wsgiraw-forking", "--workers 2 --strategy forking --keep-alive 75 --access-logfile off site:app"),
        ("gunicorn-sync", "-b 127.0.0.1:8123 -w 2 -k sync --worker-connections"),
        ("gunicorn", "-b 127.0.0.1:8123 -w 2 -k gthread --threads 4 --keep-alive 75 --worker-connections"),
        ("waitress", "python -m waitress --listen=127.0.0.1:8123 --threads=4 --channel-timeout=75 --connection-limit="),
        ("granian", "--host 127.0.0.1 --port 8123 --workers 2 --blocking-threads 4 --runtime-threads 1 --http 1"),
        ("uwsgi", "--http 127.0.0.1:8123 --http-keepalive=75 --http-auto-chunked --master --processes 2"),
        ("peregrine", "--protocol wsgi --workers 2 --wsgi-threads 4 --keep-alive 75000"),
        ("m0serve", "--workers 2 --blocking-threads 4 --idle-timeout 75 --max-keepalive-requests 0 site:app"),
        ("cheroot", "python runner.py cheroot site:app 8123 2 4"),
        ("bjoern", "python runner.py bjoern site:app 8123 2 4"),
        ("fastpysgi", "python runner.py fastpysgi site:app 8123 2 4"),
        ("werkzeug", "python runner.py werkzeug site:app 8123 2 4"),
        ("wsgiref", "python runner.py wsgiref site:app 8123 2 4"),
    ],
)
def test_each_is_told_the_same(name: str, expected: str) -> None:
    assert expected in line(name)


def test_all_are_in_the_table() -> None:
    assert [peer.name for peer in chosen([])] == list(PEERS)
    assert all(APPLICATION in peer.command(APPLICATION, 1, 1, 1) for peer in PEERS.values())


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("wsgiraw", "3 processes x 8 threads"),
        ("wsgiraw-serial", "3 processes x 1 thread"),
        ("wsgiraw-forking", "3 processes x 1 thread, and a process for each connection"),
        ("gunicorn-sync", "3 processes x 1 thread"),
        ("waitress", "1 process x 8 threads"),
        ("uwsgi", "3 processes x 8 threads, behind its router"),
        ("bjoern", "3 processes x 1 thread"),
        ("werkzeug", "1 process x a thread for each connection"),
        ("wsgiref", "1 process x 1 thread"),
    ],
)
def test_shapes_are_said_in_words(name: str, shape: str) -> None:
    assert {**PEERS, **STRATEGIES}[name].shape(3, 8) == shape


def test_versions_and_what_to_install() -> None:
    assert PEERS["wsgiraw"].version() == __version__
    assert PEERS["werkzeug"].version()  # Flask brings it
    assert "of Python 3." in (PEERS["wsgiref"].version() or "")
    assert PEERS["bjoern"].pip == "pip install bjoern-binary"
    assert PEERS["gunicorn-sync"].pip == PEERS["gunicorn-gthread"].pip == "pip install gunicorn"


def test_uwsgi_is_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert PEERS["uwsgi"].version() is None
    program = tmp_path / "uwsgi"
    program.write_text("#!/bin/sh\necho 2.0.99\n")
    program.chmod(0o755)
    assert PEERS["uwsgi"].version() == "2.0.99"
    assert PEERS["uwsgi"].command(APPLICATION, 1, 1, 1)[0] == str(program)
    program.write_text("#!/bin/sh\nexit 1\n")
    assert PEERS["uwsgi"].version() is None


def test_a_server_may_be_there_twice() -> None:
    names = [peer.name for peer in chosen(["wsgiraw", "gunicorn", "wsgiraw", "gunicorn-gthread"])]
    assert names == ["wsgiraw", "gunicorn-gthread", "wsgiraw#2", "gunicorn-gthread#2"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gunicorn-gtread", "did you mean 'gunicorn-gthread'"),
        ("wsgiraw-pool", "did you mean 'wsgiraw-pooled'"),
        ("nginx", "there are wsgiraw, gunicorn-sync"),
        ("cmd:", "has no command"),
        ("cmd:serve {app}", "does not say where to listen"),
        ("cmd:serve {bnd}", "no placeholder {bnd}: did you mean 'bind'"),
        ("cmd:serve {} {port}", "no placeholder {}: there are {app}, {bind}"),
        ("cmd:serve {port:x}", "no placeholder {port}"),
        ("cmd:serve {port.real}", "no placeholder {port.real}"),
        ("cmd:serve {port", "a brace without its other one"),
        ("cmd:serve '{port}", "No closing quotation"),
    ],
)
def test_what_names_no_server_is_said(name: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        chosen([name])
    assert said in str(refused.value)


def test_a_command_of_ones_own() -> None:
    first, second = chosen(["cmd:serve -j '{{}}' --on {bind} -w{workers} -t{threads} '{app} x'", "cmd:serve {port}"])
    assert first.command(APPLICATION, 81, 2, 4) == [
        "serve",
        "-j",
        "{}",
        *["--on", "127.0.0.1:81", "-w2", "-t4"],
        "site:app x",
    ]
    assert (first.name, second.name) == ("cmd:serve", "cmd:serve#2")
    assert (first.shape(2, 4), second.shape(2, 4)) == ("2 processes x 4 threads", "as its command line says")
    assert first.version() is None
    assert "not on PATH" in first.pip


def test_a_command_of_our_python_is_named_after_its_module() -> None:
    module, script = chosen(["cmd:{python} -m shop.serve {port}", "cmd:{python} bin/serve.py {port}"])
    assert (module.name, script.name) == ("cmd:shop.serve", "cmd:serve.py")
    assert module.version() is not None

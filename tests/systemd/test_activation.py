"""Socket activation: sd_listen_fds(3), by systemd-socket-activate, and with a socket of ours."""

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.process import Process, curl, running
from tests.supervision.master import lives, until
from tests.systemd.manager import NotifySocket, activated, passing
from wsgiraw.activation import where
from wsgiraw.config import configure
from wsgiraw.errors import ConfigError
from wsgiraw.sources import gather
from wsgiraw.systemd import PassedSocket

APP = "workers_app:app"


def ask(folder: Path, name: str = "s", path: str = "/") -> str:
    """Return the answer on a unix socket of the folder."""
    return curl("--unix-socket", str(folder / name), f"http://a{path}")


def reload(process: Process) -> None:
    """Reload, and wait until that is done."""
    process.signal(signal.SIGHUP)
    process.line(r"\] reloaded")


def test_from_the_first_client_to_the_end(folder: Path, strategy: str, workers: int) -> None:
    path = folder / "s"
    with activated(folder, f"-l {path}", APP, f"--strategy={strategy}", f"--workers={workers}") as process:
        said = ask(folder)
        assert said.endswith(" 80")
        assert (said == f"{process.pid} 80") is (workers == 0)
        process.line(rf" · unix:{path} · ")
        if workers:
            reload(process)
            assert ask(folder) != said
        assert process.stop() == 0
    assert path.is_socket()  # it is systemd's


def test_several_sockets_and_none_configured(folder: Path) -> None:
    with activated(folder, f"-l {folder}/a -l {folder}/b", APP) as process:
        assert ask(folder, "a")
        assert ask(folder, "b")
        process.line(rf" · unix:{folder}/a unix:{folder}/b · ")
        assert process.stop() == 0


def test_names(folder: Path, workers: int) -> None:
    """A socket unit with several addresses has one name for all of them."""
    listen = f"-l {folder}/a -l {folder}/b -l {folder}/c --fdname=other:web.socket:web.socket"
    with activated(folder, listen, APP, f"--workers={workers}", "--bind=unix:d", "-b", "fd://web.socket") as process:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(folder / "a"))
            process.line(r"not used, because .*: fd://3 \(other\), passed by systemd")
            process.line(rf" · unix:d unix:{folder}/b unix:{folder}/c · ")
        for name in "bcd":
            assert ask(folder, name)
        assert process.stop() == 0
    assert (folder / "c").is_socket()
    assert not (folder / "d").exists()


def test_a_name_that_nobody_has(folder: Path) -> None:
    with activated(folder, f"-l {folder}/s --fdname=web", APP, "--bind=fd://admin") as process:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(folder / "s"))
            assert process.wait() == 2
        assert "bind 'fd://admin': systemd has passed no socket of that name; it has passed: web\n" in process.lines[-1]
    with running(folder, APP, "--bind=fd://web") as process:
        assert process.wait() == 2
        assert "it has passed: none\n" in process.lines[-1]


def test_what_one_cannot_accept_from(folder: Path) -> None:
    hint = r"descriptor 3 \(.*\), which systemd has passed, is no listening stream socket: .* Accept=no"
    with (
        activated(folder, f"-l {folder}/s --datagram", APP) as process,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams,
    ):
        datagrams.connect(str(folder / "s"))
        datagrams.send(b"a")
        process.line(hint)
        assert process.wait() == 2
    with activated(folder, f"-l {folder}/t --accept", APP) as process, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(folder / "t"))
        process.line(hint)
    with (folder / "workers_app.py").open("rb") as file, passing(folder, file, APP) as process:  # no socket at all
        process.line(hint)
        assert process.wait() == 2


@pytest.mark.parametrize("options", [(), ("--bind=fd://web",)])
def test_an_upgrade(folder: Path, systemd: NotifySocket, options: tuple[str, ...]) -> None:
    """The new master gets the sockets and their names, and can still reload."""
    listen = f"-l {folder}/s --fdname=web"
    with activated(folder, listen, APP, "--workers=2", *options, NOTIFY_SOCKET=systemd.name) as process:
        first = ask(folder)
        systemd.hear("READY", "STATUS")
        process.signal(signal.SIGUSR2)
        new = systemd.hear("MAINPID", "READY", "STATUS").pid
        assert process.popen.wait(20) == 0
        try:
            assert ask(folder) != first
            systemd.hear("MAINPID", "READY")
            os.kill(new, signal.SIGHUP)
            systemd.hear("RELOADING", "MONOTONIC_USEC", "STATUS")
            assert systemd.hear("READY", "STATUS").fields["STATUS"].startswith(f"unix:{folder}/s · 2 workers · ")
            assert ask(folder)
        finally:
            os.kill(new, signal.SIGTERM)
            until(lambda: not lives(new), "the new master has ended")
    assert (folder / "s").is_socket()


def test_a_reload_elsewhere_and_back(folder: Path) -> None:
    with activated(folder, f"-l {folder}/s", APP) as process:
        assert ask(folder)
        (folder / "wsgiraw.toml").write_text('bind = "unix:t"')
        process.signal(signal.SIGHUP)
        process.line(r"not used, because the configuration has other addresses: fd://3 \(unknown\)")
        process.line(r"\] reloaded")
        assert ask(folder, "t")
        (folder / "wsgiraw.toml").unlink()
        reload(process)
        assert ask(folder, "s")
        assert not (folder / "t").exists()
        assert process.stop() == 0


def test_a_socket_that_is_lent_goes_on(folder: Path, workers: int) -> None:
    """Requests wait while one server goes and the next comes; over TCP, too."""
    with socket.create_server(("127.0.0.1", 0)) as ours:
        port = ours.getsockname()[1]
        for _ in range(2):
            with passing(folder, ours, APP, f"--workers={workers}") as process:
                assert curl(f"http://127.0.0.1:{port}").endswith(f" {port}")
                assert process.stop() == 0


def test_a_program_that_calls_serve(folder: Path) -> None:
    (folder / "start.py").write_text("import wsgiraw, workers_app\nwsgiraw.serve(workers_app.app)\n")
    with socket.create_server(("127.0.0.1", 0)) as ours, passing(folder, ours, program="start.py") as process:
        assert curl(f"http://127.0.0.1:{ours.getsockname()[1]}")
        assert process.stop() == 0


# Which addresses


@pytest.fixture
def passed() -> "list[PassedSocket]":
    """Two that are not looked at."""
    return [PassedSocket(3, "a"), PassedSocket(4, "b")]


def test_an_address_that_is_given_is_not_the_default(tmp_path: Path, passed: list[PassedSocket]) -> None:
    for flags, environ in (({"port": "8000"}, {}), ({"host": "127.0.0.1"}, {}), ({}, {"WSGIRAW_PORT": "8000"})):
        config = gather(flags, environ, tmp_path).pinned
        assert where(config, passed) == ("127.0.0.1:8000",)
    assert gather({}, {}, tmp_path).pinned.listens_by_default
    assert where(configure(), ()) == ("127.0.0.1:8000",)
    assert where(configure(port=0), passed) == ("127.0.0.1:0",)


def test_the_address_that_sends_to_https_is_left_alone(folder: Path) -> None:
    config = configure(certfile=("c",), redirect_http=81)
    with socket.create_server(("127.0.0.1", 0)) as ours:
        passed = [PassedSocket(ours.fileno(), "a")]
        assert where(config, passed) == (f"fd://{ours.fileno()}", *config.addresses[1:])
        assert len(config.addresses) == 2


def test_a_name_outside_systemd() -> None:
    from wsgiraw import Server

    with pytest.raises(ConfigError, match="cannot listen on fd://web: nobody has passed a socket of that name"):
        Server(lambda environ, start_response: [], bind="fd://web")

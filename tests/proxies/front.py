"""Real nginx and HAProxy in front of a server, each a process of its own on a port that the kernel picks.

The listening socket is made here and inherited by the front, so nobody else can have the port in between, and whoever
connects early waits in the kernel's queue. A second one, which is asked until it answers, tells that the front is up.
"""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.apps.conftest import absent
from tests.strategies.waiting import eventually
from tests.wire import PATIENCE

__all__ = ["DEPLOY", "haproxy_in_front_of", "haproxy_with", "nginx_in_front_of", "nginx_with"]

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
"""Where the examples are."""

_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextmanager
def nginx_in_front_of(backend: int | str, tmp_path: Path, extra: str = "") -> Iterator[int]:
    """Run nginx in front of a port on IPv4 loopback, or of `unix:PATH`; yield its own port there.

    `extra` are directives in its only location, such as `proxy_set_header X-Forwarded-For $remote_addr;`.
    """
    where = f"127.0.0.1:{backend}" if isinstance(backend, int) else backend
    location = f"location / {{\nproxy_pass http://{where};\nproxy_http_version 1.1;\n{extra}\n}}"
    with nginx_with(f"server {{\nlisten 80;\n{location}\n}}", tmp_path) as port:
        yield port


@contextmanager
def nginx_with(configuration: str, tmp_path: Path) -> Iterator[int]:
    """Run nginx with a text for inside of `http`, which listens on port 80; yield the port that this stands for."""
    with _front("nginx", tmp_path) as (program, folder, listening, ready):
        text = configuration.replace("listen 80;", f"listen 127.0.0.1:{_port(listening)};")
        assert text != configuration, "it does not listen on port 80"
        user = "user root;\n" if os.geteuid() == 0 else ""  # the folder is ours, and so may be the backend's socket
        temporary = "\n".join(f"{name}_temp_path {folder}/{name};" for name in _TEMPORARY)
        (folder / "nginx.conf").write_text(
            f"daemon off;\nworker_processes 1;\n{user}pid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{temporary}\n"
            f"server {{\nlisten 127.0.0.1:{_port(ready)};\nreturn 204;\n}}\n{text}\n}}\n"
        )
        command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
        with _running(command, folder, listening, ready, NGINX=f"{listening.fileno()};{ready.fileno()};"):
            yield _port(listening)


@contextmanager
def haproxy_in_front_of(
    backend: int | str, tmp_path: Path, extra: str = "", *, mode: str = "http", server: str = ""
) -> Iterator[int]:
    """Run HAProxy in front of a port on IPv4 loopback, or of `unix@PATH`; yield its own port there.

    `extra` are lines of its only frontend, such as `option forwardfor`; `server` are options of the server that stands
    for the port, such as `send-proxy-v2`.
    """
    where = f"127.0.0.1:{backend}" if isinstance(backend, int) else backend
    timeouts = "\n".join(f"timeout {which} {PATIENCE:.0f}s" for which in ("connect", "client", "server"))
    text = f"defaults\nmode {mode}\n{timeouts}\nlisten front\nbind :80\n{extra}\nserver one {where} {server}\n"
    with haproxy_with(text, tmp_path) as port:
        yield port


@contextmanager
def haproxy_with(configuration: str, tmp_path: Path) -> Iterator[int]:
    """Run HAProxy with a configuration that binds port 80; yield the port that this stands for."""
    with _front("haproxy", tmp_path) as (program, folder, listening, ready):
        text = configuration.replace("bind :80\n", f"bind fd@{listening.fileno()}\n")
        assert text != configuration, "it does not bind port 80"
        (folder / "haproxy.cfg").write_text(
            f"global\nnbthread 1\nmaxconn 1000\n{text}\n"
            f"frontend ready\nmode http\ntimeout client 1s\nbind fd@{ready.fileno()}\nhttp-request return status 204\n"
        )
        command = [program, "-db", "-f", str(folder / "haproxy.cfg")]
        with _running(command, folder, listening, ready):
            yield _port(listening)


@contextmanager
def _front(name: str, tmp_path: Path) -> Iterator[tuple[str, Path, socket.socket, socket.socket]]:
    """Yield a program, a new folder for it and two listening sockets."""
    program = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") or absent(name)
    number = len(list(tmp_path.glob(f"{name}-*")))
    folder = tmp_path / f"{name}-{number}"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_server(("127.0.0.1", 0)) as ready:
        yield program, folder, listening, ready


@contextmanager
def _running(
    command: list[str], folder: Path, listening: socket.socket, ready: socket.socket, **more: str
) -> Iterator[None]:
    """Run a front that inherits two sockets, from when it answers until the end."""
    log = folder / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **more},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(listening.fileno(), ready.fileno()),
        ) as process,
    ):
        try:
            with socket.create_connection(("127.0.0.1", _port(ready)), timeout=0.1) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                eventually(lambda: process.poll() is not None or _answers(client))
            assert process.poll() is None, f"{command[0]} has ended: {log.read_text()}"
            yield
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            finally:
                if process.poll() is None:
                    process.kill()


def _answers(client: socket.socket) -> bool:
    try:
        return client.recv(12) == b"HTTP/1.1 204"
    except TimeoutError:
        return False


def _port(listening: socket.socket) -> int:
    port: int = listening.getsockname()[1]
    return port

"""The command lines of wsgiraw and its peers, as alike as they can be. It starts nothing."""

from collections.abc import Sequence
from pathlib import Path

from certificates import Certificate

RUNNER = "benchmarks/runner.py"
ONE_THREAD = ("wsgiraw-eventloop", "wsgiraw-forking", "wsgiraw-serial")


def command(
    name: str,
    app: str,
    port: int,
    python: str,
    *,
    threads: int | None = None,
    workers: int = 1,
    many_connections: bool = False,
    own: Sequence[str] = (),
    certificate: Certificate | None = None,
) -> list[str]:
    """The command line of server `name`, access log off; `wsgiraw-STRATEGY` chooses the strategy.

    `threads` run the application in each of `workers` processes; None: 8, but granian 1, which is quicker there. It is
    nothing to those that have one thread.
    `many_connections` lifts the limits that some servers have on open connections and keeps idle ones ten minutes.
    `own` are further arguments of this server. With a certificate it speaks TLS, 1.2 and 1.3.
    """
    address = f"127.0.0.1:{port}"
    own = [*own, *_tls(name, certificate)] if certificate else own
    if name == "wsgiraw" or name.startswith("wsgiraw-"):
        strategy = ["--strategy", name.partition("-")[2]] if "-" in name else []
        limits = ["--keep-alive", "600"] if many_connections else []
        shape = ["--workers", str(workers), *strategy]
        if threads and name not in ONE_THREAD:
            shape += ["--threads", str(threads)]
        return [python, "-m", "wsgiraw", app, "--port", str(port), "--access-logfile", "off", *shape, *limits, *own]
    if name == "granian":
        shape = ["--workers", str(workers), "--blocking-threads", str(threads or 1), "--runtime-threads", "1"]
        plain_http = ["--http", "1", "--no-ws", "--no-access-log", "--log-level", "warning"]
        # Its back-pressure counts open connections, and its read timeout (at most a minute) idle ones.
        many = ["--backpressure", "20000", "--http1-header-read-timeout", "60000"] if many_connections else []
        return [
            *(python, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
            *(*shape, *plain_http, *many, *own, app),
        ]
    if name in ("bjoern", "fastpysgi"):
        if workers > 1:
            raise ValueError(f"{name} is one process")
        return [python, RUNNER, name, app, str(port), *own]
    if name in ("gunicorn-gthread", "gunicorn-sync"):
        shape = ["--threads", str(threads or 8)] if name == "gunicorn-gthread" else []
        limits = ["--worker-connections", "20000"] if many_connections else []
        keep_alive = "600" if many_connections else "75"
        return [
            *(python, "-m", "gunicorn", "-b", address, "-w", str(workers), "-k", name.partition("-")[2], *shape),
            *("--keep-alive", keep_alive, *limits, "--no-control-socket", "--log-level", "warning", *own, app),
        ]
    if name == "waitress":
        if workers > 1:
            raise ValueError(f"{name} is one process")
        # waitress waits with select() unless told to poll, and select() ends at descriptor 1023.
        many = ["--connection-limit=20000", "--channel-timeout=600", "--asyncore-use-poll"] if many_connections else []
        return [python, "-m", "waitress", f"--listen={address}", f"--threads={threads or 8}", *many, *own, app]
    if name == "uwsgi":
        # Its HTTP router, a process of its own, which is what its documentation puts in front of clients.
        listen = ["--https", f"{address},{certificate.chain},{certificate.key}"] if certificate else ["--http", address]
        shape = ["--master", "--processes", str(workers), "--enable-threads", "--threads", str(threads or 8)]
        home = Path(python).parent.parent
        keep_alive = "600" if many_connections else "75"
        return [
            *(str(home / "bin" / "uwsgi"), *listen, f"--http-keepalive={keep_alive}", *shape),
            *("--home", str(home), "--pythonpath", ".", "--need-app", "--die-on-term", "--disable-logging", *own),
            *("--module", app),
        ]
    raise ValueError(f"unknown server {name!r}")


def _tls(name: str, certificate: Certificate) -> list[str]:
    """The further arguments that let this server speak TLS. Raises ValueError if it cannot."""
    chain, key = str(certificate.chain), str(certificate.key)
    if name.startswith(("wsgiraw", "gunicorn")):
        return ["--certfile", chain, "--keyfile", key]
    if name == "granian":
        return ["--ssl-certificate", chain, "--ssl-keyfile", key, "--ssl-protocol-min", "tls1.2"]
    if name == "uwsgi":
        return []  # they are part of its address
    raise ValueError(f"{name} has no TLS")

"""Starts servers that have no command line, or too narrow a one: `runner.py NAME APPLICATION PORT WORKERS THREADS`.

It changes no setting that matters for speed: each server is as it is shipped, without access log and with its limits on
connections lifted. It imports nothing of ours, and no application but the one that it is told.
"""

import importlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["SERVERS", "main"]

_HOST = "127.0.0.1"
_BACKLOG = 2048
_CONNECTIONS = 20_000


def bjoern(application: Any, port: int, workers: int, threads: int) -> None:
    """One thread; processes share the listener, as its documentation has it."""
    server = importlib.import_module("bjoern")
    server.listen(application, _HOST, port, listen_backlog=_BACKLOG)
    if workers == 1:
        server.run()
    else:
        _forked(server.run, workers)


def _forked(serve: Callable[[], None], workers: int) -> None:
    """Serve in child processes, and end them when told to end."""
    children = []
    for _ in range(workers):
        child = os.fork()
        if not child:
            serve()
            os._exit(0)
        children.append(child)

    def end(number: int, frame: object) -> None:
        for child in children:
            os.kill(child, number)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    for child in children:
        os.waitpid(child, 0)


def fastpysgi(application: Any, port: int, workers: int, threads: int) -> None:
    """One thread, and processes of its own making. Bodies may be as large as with others."""
    server = importlib.import_module("fastpysgi")
    server.server.backlog = _BACKLOG
    server.server.max_content_length = 1_000_000_000
    server.run(application, _HOST, port, workers=workers)


def cheroot(application: Any, port: int, workers: int, threads: int) -> None:
    """One process."""
    module = importlib.import_module("cheroot.wsgi")
    server = module.Server((_HOST, port), application, numthreads=threads, request_queue_size=_BACKLOG, timeout=75)
    server.keep_alive_conn_limit = _CONNECTIONS
    server.safe_start()


def werkzeug(application: Any, port: int, workers: int, threads: int) -> None:
    """What `flask run` starts: a thread for each connection."""
    logging = importlib.import_module("logging")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # each request is an INFO
    serving = importlib.import_module("werkzeug.serving")
    serving.BaseWSGIServer.request_queue_size = _BACKLOG
    serving.run_simple(_HOST, port, application, threaded=True)


def wsgiref(application: Any, port: int, workers: int, threads: int) -> None:
    """One connection at a time, closed after its response, and five that wait: as Python ships it."""
    simple_server = importlib.import_module("wsgiref.simple_server")

    class Quiet(simple_server.WSGIRequestHandler):  # type: ignore[name-defined,misc]
        def log_message(self, *arguments: object) -> None:
            """No access log."""

    simple_server.make_server(_HOST, port, application, handler_class=Quiet).serve_forever()


SERVERS: dict[str, Callable[[Any, int, int, int], None]] = {
    server.__name__: server for server in (bjoern, fastpysgi, cheroot, werkzeug, wsgiref)
}


def main(arguments: list[str]) -> None:
    """Run a server until a signal ends it."""
    name, spec, port, workers, threads = arguments
    # Modules are looked for where we were started, not in the folder of this file.
    own = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib would cost the servers memory
    sys.path[:] = [os.getcwd(), *(path for path in sys.path if path != own)]  # noqa: PTH109
    module, _, attribute = spec.partition(":")
    application = getattr(importlib.import_module(module), attribute)
    SERVERS[name](application, int(port), int(workers), int(threads))


if __name__ == "__main__":
    main(sys.argv[1:])

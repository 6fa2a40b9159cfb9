"""What idle keep-alive connections cost: memory of the server before and after, while an ordinary client is served.

    python benchmarks/idle_connections.py benchmarks.plain:app --servers wsgiraw-handoff,granian --connections 5000

Each connection sends one request and reads the answer, then says nothing. At the end every one must answer once more,
so that a server cannot save memory by closing. Memory in the kernel (sockets, their queues) belongs to no process and
is not counted.
"""

import argparse
import json
import resource
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from page import put
from servers import FAILURES, Server, conditions, facts, running

from wsgiraw.compare.requests import BROWSER_FIELDS

SERVERS = "wsgiraw-handoff,granian,bjoern,gunicorn-gthread,waitress"
FIELDS = {name: value.format(variant=1) for name, value in BROWSER_FIELDS}
SPARE_DESCRIPTORS = 200
WARM_UP_REQUESTS = 500


class OrdinaryClient:
    """A visitor who sends a request every few milliseconds over one connection until told to stop."""

    def __init__(self, port: int, path: str) -> None:
        self.served = self.failed = 0
        self.slowest = 0.0
        self._port, self._path = port, path
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "OrdinaryClient":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        while not self._stop.wait(0.005):
            started = time.monotonic()
            try:
                ask(connection, self._path)
                self.served += 1
            except (OSError, HTTPException):
                self.failed += 1
                connection.close()
            self.slowest = max(self.slowest, time.monotonic() - started)
        connection.close()


def ask(connection: HTTPConnection, path: str) -> None:
    """One request with a browser's fields; any answer but a complete 200 is an HTTPException."""
    connection.request("GET", path, headers=FIELDS)
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise HTTPException(f"status {response.status}")


def memory(server: Server) -> dict[str, int]:
    """Rss and Pss of all the server's processes, in KiB."""
    return {key: server.memory_kib(key) for key in ("Rss", "Pss")}


def measure(server: Server, path: str, count: int) -> dict[str, Any]:
    """Open the connections, leave them idle, weigh the server, and ask on each once more."""
    with OrdinaryClient(server.port, path) as client:
        while client.served < WARM_UP_REQUESTS and not client.failed:
            time.sleep(0.05)  # memory that the first requests need is not the connections'
        before = memory(server)
        connections: list[HTTPConnection] = []
        try:
            while len(connections) < count:
                connections.append(HTTPConnection("127.0.0.1", server.port, timeout=10))
                if not answered(connections[-1], path):
                    break  # the server's limit: waiting for thousands more would only take time
            opened = len([connection for connection in connections if connection.sock is not None])
            served = client.served
            while client.served < served + 100 and not client.failed:
                time.sleep(0.05)
            after = memory(server)
            for connection in connections:
                connection.auto_open = 0  # do not hide a connection that the server closed
            still_alive = sum(answered(connection, path) for connection in connections[:opened])
        finally:
            for connection in connections:
                connection.close()
    return {
        "before_kib": before,
        "after_kib": after,
        "rss_kib_per_connection": (after["Rss"] - before["Rss"]) / max(opened, 1),
        "pss_kib_per_connection": (after["Pss"] - before["Pss"]) / max(opened, 1),
        "opened": opened,
        "still_alive": still_alive,
        "client": {"served": client.served, "failed": client.failed, "slowest_ms": client.slowest * 1000},
    }


def answered(connection: HTTPConnection, path: str) -> bool:
    """Whether the server answers one request on this connection and keeps it."""
    try:
        ask(connection, path)
    except (OSError, HTTPException):
        connection.close()
        return False
    return connection.sock is not None


def raise_descriptor_limit(count: int) -> None:
    """Allow this process, and the servers that it starts, `count` connections and some files."""
    need = count + SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < need:
        unlimited = hard == resource.RLIM_INFINITY
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard if unlimited else max(hard, need)))
        except ValueError:
            sys.exit(f"{need} descriptors are needed, the hard limit is {hard}: raise it with ulimit -Hn as root")


def main() -> int:
    """Measure each server, print a table; 1 if one lost a connection or a request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app", nargs="?", default="benchmarks.plain:app")
    parser.add_argument("--path", default="/")
    parser.add_argument("--servers", default=SERVERS, help=f"names, comma-separated (default: {SERVERS})")
    parser.add_argument("--connections", type=int, default=5000)
    parser.add_argument("--page", type=Path, help="also put the table into this page, such as docs/performance.md")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    raise_descriptor_limit(options.connections)
    before = facts()
    lines = [
        "| server | RSS before MiB | RSS after MiB | PSS after MiB | RSS KiB each | PSS KiB each | opened "
        "| alive at the end | others served meanwhile | failed | slowest ms |",
        f"|---|{'--:|' * 10}",
    ]
    results: dict[str, Any] = {}
    sound = True
    for name in options.servers.split(","):
        try:
            with running(name, options.app, path=options.path) as server:
                result = measure(server, options.path, options.connections)
        except FAILURES as error:
            sys.stderr.write(f"{name} left out: {error}\n")
            sound = False
            continue
        results[name] = {**result, "command": server.command}
        client = result["client"]
        sound = sound and result["still_alive"] == options.connections and not client["failed"]
        cells = [
            *(f"{result[moment]['Rss'] / 1024:.1f}" for moment in ("before_kib", "after_kib")),
            f"{result['after_kib']['Pss'] / 1024:.1f}",
            *(f"{result[f'{kind}_kib_per_connection']:.2f}" for kind in ("rss", "pss")),
            *(str(number) for number in (result["opened"], result["still_alive"], client["served"], client["failed"])),
            f"{client['slowest_ms']:.0f}",
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    text = "\n".join(lines) + f"\n\n{options.connections} idle connections, `{options.app}`. {conditions(before)}\n"
    sys.stdout.write(text)
    if options.page:
        put(options.page, "idle-connections", text)
    if options.json:
        options.json.write_text(json.dumps({**before, "servers": results}, indent=1) + "\n")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())

"""A master with its workers, run by the real command line, and what is asked of it."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from tests.process import Process, running
from tests.wire import PATIENCE

__all__ = ["APPLICATION", "Master", "lives", "master_of", "until", "write_application"]

APPLICATION = """
import os
import time

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/exit":
        os._exit(7)
    if path == "/wait":
        print("waiting", file=environ["wsgi.errors"], flush=True)
        while not os.path.exists("go"):
            time.sleep(0.01)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {environ['wsgi.multiprocess']}".encode()]
"""


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until a condition holds; `what` says which, should it not."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE:g} s: {what}"
        time.sleep(0.01)


def lives(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    return Path(f"/proc/{pid}/exe").exists()


def write_application(folder: Path, source: str = APPLICATION) -> None:
    """Put an application into a folder, newer than any compiled one."""
    path = folder / "workers_app.py"
    before = path.stat().st_mtime if path.exists() else 0.0
    path.write_text(source)
    os.utime(path, (before + 10, before + 10))


class Master:
    """A master that runs, and its application."""

    def __init__(self, folder: Path, process: Process) -> None:
        self.folder = folder
        self.process = process
        self.url = process.line(r"http://\S+")[0]

    def ask(self, path: str = "/") -> str:
        """Return the body of an answer."""
        with urlopen(self.url + path, timeout=PATIENCE) as response:
            return str(response.read().decode())

    def workers(self) -> set[int]:
        """Return the processes of the workers, those on their way out included."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {child for child in map(int, children) if lives(child)}

    def has(self, count: int) -> set[int]:
        """Wait until there are so many workers; return them."""
        until(lambda: len(self.workers()) == count, f"{count} workers")
        return self.workers()

    def reload(self) -> None:
        """Reload, and wait until that is done."""
        self.process.signal(signal.SIGHUP)
        self.process.line(r"\] reloaded")

    def let_go(self) -> None:
        """Let requests to /wait be answered."""
        (self.folder / "go").touch()


@contextmanager
def master_of(workers: int, folder: Path, *options: str, **environ: str) -> Iterator[Master]:
    """Run a master."""
    if not (folder / "workers_app.py").exists():
        write_application(folder)
    arguments = ("workers_app:app", "--port=0", f"--workers={workers}", *options)
    with running(folder, *arguments, group=True, **environ) as process:
        yield Master(folder, process)

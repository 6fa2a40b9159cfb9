"""The application under load, and how it is put up."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.process import Process, running
from wsgiraw import Config

__all__ = ["DEFAULT", "REPEATED", "SITE", "served", "write_site"]

REPEATED = 20
"""How often the line of an answer, `PID VERSION PATH`, is repeated."""

SITE = "loaded:app"

DEFAULT: str = Config().strategy
"""The strategy that is put to the longest tests."""

_SOURCE = """
import os
import time

VERSION = "{version}"

def app(environ, start_response):
    path = environ["PATH_INFO"]
{when}    if path.startswith("/gated/"):
        with open("entered", "a") as entered:
            entered.write(path + "\\n")
        while not os.path.exists("gate"):
            time.sleep(0.005)
    body = f"{{os.getpid()}} {{VERSION}} {{path}}\\n".encode() * {repeated}
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
"""


def write_site(folder: Path, version: str = "1", before: str = "", when: Mapping[str, str] | None = None) -> None:
    """Put the application into a folder. Requests to /gated/... are answered once a file `gate` exists.

    `before` is source that runs when it is imported, `when` maps paths to a statement that runs before the answer.
    """
    half_written = folder / "loaded.new"
    steps = "".join(f"    if path == {path!r}:\n        {step}\n" for path, step in (when or {}).items())
    half_written.write_text(before + _SOURCE.format(version=version, repeated=REPEATED, when=steps))
    half_written.replace(folder / "loaded.py")  # a worker that imports it at this moment sees all of it


@contextmanager
def served(folder: Path, *arguments: str) -> Iterator[Process]:
    """Run `wsgiraw loaded:app ARGUMENTS`; whatever it has left behind is killed at the end."""
    # Compiled modules are told apart by second and size: of two versions written within a second the first would stay.
    with running(folder, SITE, *arguments, group=True, PYTHONDONTWRITEBYTECODE="1") as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):  # all gone already, as it should be
                os.killpg(process.pid, signal.SIGKILL)

"""Big bodies with flat memory: uploads into Django (Content-Length, chunked) and a big file out by wsgi.file_wrapper.

    python benchmarks/big_bodies.py --servers wsgiraw-handoff,gunicorn-gthread --upload-mb 200 --download-mb 1024

Checks the SHA-256 of what arrived on the other side, and reports how far the server's peak resident size (VmHWM, reset
before each transfer) rose above its resident size just before. Disc space that a server spools to is not counted.
"""

import argparse
import hashlib
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from page import put
from servers import FAILURES, Server, conditions, facts, running

SERVERS = "wsgiraw-handoff,granian,bjoern,gunicorn-gthread,waitress"
MEGABYTE = 1_000_000
CHUNK_SIZES = (1, 17, 4096, 65536, 65537, 300_000, 1_048_576)
TIMEOUT = 120.0


def body(octets: int, sizes: tuple[int, ...]) -> Iterator[bytes]:
    """`octets` octets that do not repeat, in pieces of the given sizes in turn: lost or swapped pieces show."""
    source = random.Random(200)
    number = 0
    while octets:
        size = min(octets, sizes[number % len(sizes)])
        yield source.randbytes(size)
        octets -= size
        number += 1


def upload(port: int, octets: int, *, chunked: bool) -> str:
    """Send a body; an empty string if Django saw exactly it, else what was wrong."""
    digest = hashlib.sha256()

    def pieces() -> Iterator[bytes]:
        for piece in body(octets, CHUNK_SIZES):
            digest.update(piece)
            yield piece

    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    fields = {"Content-Type": "application/octet-stream"}
    fields |= {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(octets)}
    try:
        # A server that answers and closes before it has the whole body has something to say: read it.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", "/", body=pieces(), headers=fields, encode_chunked=chunked)
        response = connection.getresponse()
        answer = response.read().decode("latin-1")
    finally:
        connection.close()
    if response.status == 200 and answer == f"{digest.hexdigest()} {octets}":
        return ""
    return f"status {response.status}, {answer[:200]!r} for {octets} octets"


def download(port: int, digest: str, octets: int) -> str:
    """Fetch the file; an empty string if it arrived exactly, else what was wrong."""
    seen, received = hashlib.sha256(), 0
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        while piece := response.read(1 << 18):
            seen.update(piece)
            received += len(piece)
    finally:
        connection.close()
    return "" if seen.hexdigest() == digest else f"status {response.status}, {received} of {octets} octets arrived"


def watched(server: Server, transfer: Callable[[], str]) -> dict[str, Any]:
    """Run a transfer: seconds, MiB by which the server's peak rose, and what was wrong."""
    server.reset_peak()
    before, started = server.memory_kib("VmRSS"), time.monotonic()
    try:
        fault = transfer()
    except (OSError, HTTPException) as error:
        fault = f"{type(error).__name__}: {error}"
    growth = (server.memory_kib("VmHWM") - before) / 1024
    return {"seconds": time.monotonic() - started, "growth_mib": growth, "rss_mib": before / 1024, "fault": fault}


def measure(name: str, options: argparse.Namespace, file: Path) -> dict[str, dict[str, Any]]:
    """The three transfers of one server, each after a small one so that imports and first buffers do not count."""
    octets = options.upload_mb * MEGABYTE
    results = {}
    with running(name, "benchmarks.upload_django:app") as server:
        for framing, chunked in (("Content-Length", False), ("chunked", True)):
            upload(server.port, MEGABYTE, chunked=False)
            results[f"upload, {framing}"] = watched(server, lambda: upload(server.port, octets, chunked=chunked))  # noqa: B023 - called at once
    with tempfile.NamedTemporaryFile() as small:
        small.write(b"x" * MEGABYTE)
        small.flush()
        link = file.with_name("served")
        link.unlink(missing_ok=True)
        link.symlink_to(small.name)
        with running(name, "benchmarks.big_file:app", variables={"BIG_FILE": str(link)}) as server:
            link.unlink()
            link.symlink_to(file)
            size = file.stat().st_size
            with file.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            results["download"] = watched(server, lambda: download(server.port, digest, size))
    return results


def main() -> int:
    """Measure each server, print a table; 1 if a transfer went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", default=SERVERS, help=f"names, comma-separated (default: {SERVERS})")
    parser.add_argument("--upload-mb", type=int, default=200, help="megabytes of each upload (default: 200)")
    parser.add_argument("--download-mb", type=int, default=1000, help="megabytes of the file (default: 1000)")
    parser.add_argument("--page", type=Path, help="also put the table into this page, such as docs/performance.md")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    before = facts()
    lines = ["| server | transfer | exact | RSS before MiB | peak growth MiB | seconds |", "|---|---|---|--:|--:|--:|"]
    report: dict[str, Any] = {}
    sound = True
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "big"
        with file.open("wb") as sparse:
            sparse.write(b"first")
            sparse.truncate(options.download_mb * MEGABYTE - 4)
            sparse.seek(0, 2)
            sparse.write(b"last")
        for name in options.servers.split(","):
            try:
                results = measure(name, options, file)
            except (*FAILURES, HTTPException) as error:
                sys.stderr.write(f"{name} left out: {error}\n")
                sound = False
                continue
            report[name] = results
            for transfer, result in results.items():
                sound = sound and not result["fault"]
                exact = f"no: {result['fault']}" if result["fault"] else "yes"
                figures = f"{result['rss_mib']:.1f} | {result['growth_mib']:.1f} | {result['seconds']:.1f}"
                lines.append(f"| {name} | {transfer} | {exact} | {figures} |")
    text = "\n".join(lines) + f"\n\n{options.upload_mb} MB into Django, {options.download_mb} MB out by "
    text += f"wsgi.file_wrapper. {conditions(before)}\n"
    sys.stdout.write(text)
    if options.page:
        put(options.page, "big-bodies", text)
    if options.json:
        options.json.write_text(json.dumps({**before, "servers": report}, indent=1) + "\n")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())

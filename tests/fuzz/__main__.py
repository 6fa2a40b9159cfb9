"""`python -m tests.fuzz`: search for faults for so many seconds, beginning with the corpus.

It ends with 0 if none was found. Otherwise it writes the input to a file, prints it as a case for `tests/corpus`, with
what the model expects, and ends with 1.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.fuzz.model import judge
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS, Input
from tests.fuzz.verdict import End, Verdict

FOLDER = Path(__file__).parent
LONGEST = 1024
"""Octets of an input; larger cases of the corpus are no seeds."""


def main() -> int:
    """Run the command line."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        found = folder / "found"  # what led somewhere new
        for each in (arguments.keep or found, folder / "seeds"):
            each.mkdir(parents=True, exist_ok=True)
        for name, octets in seeds(arguments.target).items():
            if len(octets) <= LONGEST:
                (folder / "seeds" / name).write_bytes(octets)
        options = [
            f"-max_total_time={arguments.seconds}",
            f"-max_len={LONGEST}",
            f"-dict={FOLDER / 'dictionary.txt'}",
            f"-artifact_prefix={folder}/fault-",
            "-timeout=20",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
            *([f"-seed={arguments.seed}"] if arguments.seed else []),
        ]
        command = [sys.executable, "-m", "tests.fuzz.process", arguments.target, *options]
        status = subprocess.run([*command, str(arguments.keep or found), str(folder / "seeds")]).returncode
        faults = sorted(folder.glob("fault-*"))
        for fault in faults:
            kept = arguments.faults / f"{arguments.target}-{fault.name}"
            kept.write_bytes(fault.read_bytes())
            print(f"\nA fault of target {arguments.target}, kept in {kept}:\n")  # noqa: T201
            print(_case(arguments.target, fault.read_bytes()), flush=True)  # noqa: T201
    return 1 if faults else status


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60, help="how long to search (%(default)s)")
    parser.add_argument("--seed", type=int, help="of the random numbers; without it, one of libFuzzer's choice")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where to go on from, and to keep what led on")
    parser.add_argument("--faults", type=Path, default=Path(), metavar="FOLDER", help="where inputs are written (here)")
    return parser.parse_args()


def _case(target: str, data: bytes) -> str:
    """Return a case with what the model expects, and the command that writes it. Octets are as Python writes them."""
    if target not in ("connection", "head"):
        return repr(data)  # the corpus has requests only
    given = Input.read(data) if target == "connection" else Input(data + b"\r\n\r\n", [], Input.read(b"").limits)
    verdict = judge(given.octets, given.limits)
    lines = ["source: RFC 9112 §?", "about: Found by the fuzzer; …", *_expected(verdict)]
    header = "".join(f"{line}\n" for line in lines) + "\n"
    octets = header.encode() + given.octets
    return (
        f"{header}{given.octets!r}\n"
        f"cut at {given.positions}, limits {given.limits}, end {verdict.end.name}\n\n"
        f"python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(\"{octets.hex()}\"))' > NAME.http"
    )


def _expected(verdict: Verdict) -> list[str]:
    lines = []
    for request in verdict.requests:
        described = asdict(request)
        described["body"] = request.body.decode("latin-1")
        lines.append(f"request: {json.dumps(described)}")
    statuses = {400} if verdict.end is End.INCOMPLETE else verdict.statuses
    return lines + ([f"status: {' or '.join(map(str, sorted(statuses)))}"] if statuses else [])


if __name__ == "__main__":
    sys.exit(main())

"""Starts the servers whose own command line is missing or too narrow: `runner.py bjoern|fastpysgi APP PORT`.

It changes no setting that matters for speed; fastpysgi's limit of 10 MB on a body is raised for big_bodies.py.
"""

import importlib
import sys
from typing import Any


def load(spec: str) -> Any:
    """The object that `package.module:attribute` names."""
    module, _, attribute = spec.partition(":")
    return getattr(importlib.import_module(module), attribute)


def main() -> None:
    """Run the named server until a signal ends it."""
    server, spec, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    application = load(spec)
    if server == "bjoern":
        bjoern = importlib.import_module("bjoern")
        bjoern.run(application, "127.0.0.1", port)
    elif server == "fastpysgi":
        fastpysgi = importlib.import_module("fastpysgi")
        fastpysgi.server.max_content_length = 2_000_000_000
        fastpysgi.run(application, "127.0.0.1", port)
    else:
        sys.exit(f"unknown server {server!r}: bjoern or fastpysgi")


if __name__ == "__main__":
    main()

"""`python -m wsgiraw`: the same as the command `wsgiraw`."""

import sys

from wsgiraw.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())

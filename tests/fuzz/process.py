"""`python -m tests.fuzz.process NAME OPTION…`: the process that libFuzzer runs in, which `python -m tests.fuzz` starts.

It imports nothing of ours before it is told to watch what is imported: which branches are taken leads the search.
"""

import sys

import atheris

__all__: list[str] = []

with atheris.instrument_imports(
    include=["wsgiraw.http11", "wsgiraw.net.proxy_protocol", "wsgiraw.wsgi.forwarded", "tests.fuzz"]
):
    from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    name, *options = sys.argv[1:]
    atheris.Setup([name, *options], TARGETS[name])
    atheris.Fuzz()

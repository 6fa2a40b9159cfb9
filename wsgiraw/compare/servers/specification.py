"""How every server finds the application: one `module:attribute` for all of them, and the environment they run in.

What each server understands itself it is given as it is; anything else that wsgiraw does (factories, mounts, dotted
attributes, no attribute) goes through `application`, which looks it up in the environment. That imports our package
into every server, which makes each but ourselves some megabytes larger than it would be. It imports no application.
"""

import json
import os
import re
import site
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from wsgiraw.importer import parse_specs

__all__ = ["APPLICATION", "environment", "search_path", "specification"]

APPLICATION = "_WSGIRAW_COMPARE_APPLICATION"
"""The variable that `application` reads; it begins otherwise than WSGIRAW_, where unknown names are errors."""

_PLAIN = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_SETTINGS = re.compile(r"(WSGIRAW|GRANIAN|UWSGI|M0|PEREGRINE)_\w*|GUNICORN_CMD_ARGS|PORT|WEB_CONCURRENCY")
"""Variables that configure servers: command lines say all."""


def specification(specs: Sequence[str], factory: bool = False) -> tuple[str, dict[str, str]]:
    """Return what to tell the servers, and which variables they need for it. Raises ConfigError."""
    mounts = parse_specs(specs)
    spec = mounts.get("", "")
    if not factory and _PLAIN.fullmatch(spec):
        return spec, {}
    return "wsgiraw.compare.servers.application:application", {APPLICATION: json.dumps([list(specs), factory])}


def environment(
    more: Mapping[str, str], chdir: str = ".", pythonpath: Iterable[str] = (), inherited: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the environment of a server: importing from `chdir` first, as wsgiraw does, then from `pythonpath`.

    It has what ours has, without what configures servers.
    """
    variables = {name: value for name, value in inherited.items() if not _SETTINGS.fullmatch(name)}
    folders = [str(Path(chdir).resolve()), *(str(Path(folder).resolve()) for folder in pythonpath)]
    folders += filter(None, inherited.get("PYTHONPATH", "").split(os.pathsep))
    # Where we come from, last: a clone need not be installed. What is installed is found without.
    package = str(Path(__file__).resolve().parents[3])
    if package not in {*site.getsitepackages(), sysconfig.get_path("purelib"), site.getusersitepackages()}:
        folders.append(package)
    variables["PATH"] = search_path(inherited)
    variables["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(folders))
    return {**variables, **more}


def search_path(inherited: Mapping[str, str] = os.environ) -> str:
    """Return PATH with the programs of our interpreter first, as if its environment were activated."""
    return os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)])

"""The application of a specification that only wsgiraw understands, for any server to import: `application`.

The environment says which it is; it is imported when a server asks for it. It is no part of what compares.
"""

import json
import os
from typing import TYPE_CHECKING, Any

from wsgiraw.compare.servers.specification import APPLICATION
from wsgiraw.importer import load
from wsgiraw.wsgi.mount import Mount

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["application"]  # noqa: F822 - made when it is asked for


def __getattr__(name: str) -> Any:
    """Load it once (PEP 562). Raises ApplicationNotFound and ConfigError."""
    if name != "application" or APPLICATION not in os.environ:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = _loaded()
    return found


def _loaded() -> "WSGIApplication":
    specs, factory = json.loads(os.environ[APPLICATION])
    applications = load(specs, factory)
    return applications[""] if "" in applications else Mount(applications)

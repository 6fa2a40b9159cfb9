"""The application of a specification that only wsgiraw understands, for any server to import: `application`.

The environment says which it is; without that the name is not there. It is no part of what compares.
"""

import json
import os
from typing import TYPE_CHECKING

from wsgiraw.compare.servers.specification import APPLICATION
from wsgiraw.importer import load
from wsgiraw.wsgi.mount import Mount

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__: list[str] = []


def _loaded(text: str) -> "WSGIApplication":
    specs, factory = json.loads(text)
    applications = load(specs, factory)
    return applications[""] if "" in applications else Mount(applications)


# At once, not when it is asked for (PEP 562): uWSGI looks into the dictionary of the module.
if APPLICATION in os.environ:
    application = _loaded(os.environ[APPLICATION])

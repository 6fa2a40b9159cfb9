"""Folders beside applications: who answers for which prefix. It serves nothing itself."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from wsgiraw.wsgi.mount import Mount

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["beside"]


def beside(
    application: "WSGIApplication",
    folders: Mapping[str, str],
    serving: "Callable[[str, WSGIApplication | None], WSGIApplication]",
) -> "WSGIApplication":
    """Return an application that has folders, by prefix, beside what was there.

    The longest prefix wins, as in `Mount`. Where an application has the same prefix as a folder, it is asked for what
    the folder has not: `serving` makes what serves a folder, and is given that application.
    """
    # A Mount is taken apart, so that the prefixes of both are compared with one another.
    mounted: dict[str, Any] = dict(application.applications) if type(application) is Mount else {"": application}
    for prefix, folder in folders.items():
        key = prefix.rstrip("/").encode().decode("latin-1")  # as in Mount
        mounted[key] = serving(folder, mounted.get(key))
    if list(mounted) == [""]:
        only: WSGIApplication = mounted[""]
        return only
    mount = Mount({})
    mount.applications = mounted
    return mount

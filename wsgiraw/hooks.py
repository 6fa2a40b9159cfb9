"""Functions of the operator's own that are called in the life of a worker."""

import importlib
import traceback

from wsgiraw.errors import ConfigError

__all__ = ["call_hook"]


def call_hook(option: str, name: str | None, worker: object) -> None:
    """Call what a hook's option names. Raises `ConfigError`, with the traceback as a note."""
    if name is None:
        return
    module, _, attribute = name.partition(":")
    try:
        hook = getattr(importlib.import_module(module), attribute)
        hook(worker)
    except Exception as error:
        failure = ConfigError(f"hook {option} {name!r} failed: {type(error).__name__}: {error}".partition("\n")[0])
        failure.add_note(traceback.format_exc().rstrip())
        raise failure from None

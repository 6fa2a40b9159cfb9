"""Static files, beside the application or without one."""

import dataclasses

from wsgiraw.config.application import ApplicationOptions
from wsgiraw.errors import ConfigError
from wsgiraw.importer import checked_prefix
from wsgiraw.kinds import LIST, SWITCH, TEXT
from wsgiraw.options import field_value, filled, option

__all__ = ["StaticOptions", "parse_static"]

_STATIC = "Static files"


def parse_static(text: str) -> tuple[str, str]:
    """The prefix and the directory of one value: `DIR` is at `/`. Raises ConfigError."""
    prefix, equals, directory = text.partition("=")
    if not equals or not prefix.startswith("/"):
        return "/", text  # `a=b` is a directory
    if not directory:
        raise ConfigError(f"static {text!r} names no directory: write {prefix}=DIR")
    return checked_prefix(prefix, text), directory


def _checked(text: str) -> str:
    parse_static(filled(text))
    return text


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StaticOptions(ApplicationOptions):
    """Which directories are served, and how."""

    static: tuple[str, ...] = option(
        (),
        "Serve the files of this directory, seen from chdir: DIR at /, /prefix=DIR below a prefix, beside the "
        "application if there is one. Repeatable. An application at the same prefix is asked for what is not there.",
        kind=LIST,
        group=_STATIC,
        repeatable=True,
        metavar="DIR",
        check=_checked,
    )
    static_listing: bool = option(
        False, "List directories without index.html (nginx autoindex: off).", kind=SWITCH, group=_STATIC
    )
    static_cache_control: str = option(
        "no-cache",
        "Cache-Control of files; no-cache has browsers ask each time whether it is still the same. For names that "
        "change with their content: 'public, max-age=31536000, immutable'. Empty sends none.",
        kind=TEXT,
        group=_STATIC,
        check=field_value,
    )
    follow_symlinks: bool = option(
        False,
        "Follow symbolic links that lead out of a static directory, too (nginx disable_symlinks: off).",
        kind=SWITCH,
        group=_STATIC,
    )

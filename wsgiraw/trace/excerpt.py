"""Octets and values as a trace shows them: text as it is, of the rest how much there is and what it begins with."""

from collections.abc import Mapping
from typing import Any

from wsgiraw.trace.secrets import is_secret, masked

__all__ = ["SHOWN", "excerpt", "fields_shown", "variables_shown"]

_MOST = 4096
"""Octets of text that are shown of a piece."""
SHOWN = 2 * _MOST
"""Octets of a large piece that are looked at, since not all of a piece need be shown."""
_LONGEST_VALUE = 1024
_GLANCE = 32
"""Octets that are shown of what is no text."""

_CONTROL = bytes(octet for octet in (*range(0x20), 0x7F) if octet not in b"\t\r\n")
_DOTS = bytes(octet if 0x20 <= octet < 0x7F else ord(".") for octet in range(256))


def excerpt(octets: bytes, behind: int = 0) -> dict[str, Any]:
    """Return `text`, the lines up to the first that is none; of `more`, how many octets, and what it is `like`.

    There is no more of a text than a trace can stand. So many octets that are not here are `behind` these.
    """
    shown: list[str] = []
    at = 0
    for line in octets[:_MOST].splitlines(keepends=True):
        if not _is_text(line):
            break
        shown.append(line.decode("utf-8", "backslashreplace"))
        at += len(line)
    found: dict[str, Any] = {"text": "".join(shown)}
    if more := len(octets) - at + behind:
        found |= {"more": more, "like": octets[at : at + _GLANCE].translate(_DOTS).decode("ascii")}
    return found


def _is_text(line: bytes) -> bool:
    if len(line.translate(None, _CONTROL)) != len(line):
        return False
    strange = line.decode("utf-8", "replace").count("\ufffd")
    return strange * 4 <= len(line)  # a character may be cut at the end, and a field may be in latin-1


def variables_shown(variables: Mapping[str, Any], *, secrets: bool) -> dict[str, str]:
    """Return the variables of an environ, or the fields of a request, with values for people to read."""
    return {name: _value(name, value, secrets) for name, value in variables.items()}


def fields_shown(fields: object, *, secrets: bool) -> list[list[str]]:
    """Return field lines as an application has given them, which may be anything."""
    shown = []
    for field in fields if isinstance(fields, list | tuple) else ():
        if isinstance(field, list | tuple) and len(field) == 2:
            shown.append([str(field[0]), _value(str(field[0]), field[1], secrets)])
        else:
            shown.append([f"<{type(field).__name__}>", ""])
    return shown


def _value(name: str, value: object, secrets: bool) -> str:
    if isinstance(value, str):
        if not secrets and is_secret(name):
            return masked(value)
        more = len(value) - _LONGEST_VALUE
        return value if more <= 0 else f"{value[:_LONGEST_VALUE]}[{more} more]"
    if value is None or isinstance(value, int | float | tuple):
        return repr(value)
    kind = value if isinstance(value, type) else type(value)
    return f"<{kind.__module__}.{kind.__qualname__}>".replace("<builtins.", "<")

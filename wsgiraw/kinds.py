"""The kinds of option values (sizes, durations, switches, lists, ...): how each is read from text and shown again.

Knows no option, no range and no name: what is wrong with a value is said in options.py.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from wsgiraw.processors import processors

__all__ = [
    "INTEGER",
    "LIST",
    "LOG_FILE",
    "NAME",
    "OCTAL",
    "OPTIONAL_PORT",
    "PROCESSES",
    "SECONDS",
    "SIZE",
    "SWITCH",
    "TEXT",
    "YES_NO",
    "Kind",
]


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """How values of one kind are written. `from_text` and `from_value` raise ValueError for what is not one.

    `natives` are the types that Python and TOML may give as they are; `quoted` kinds may stand there as text, too.
    """

    noun: str
    metavar: str
    natives: tuple[type, ...]
    from_text: Callable[[str], Any]
    from_value: Callable[[Any], Any] = lambda value: value
    show: Callable[[Any], str] = str
    toml: Callable[[Any], str] | None = None
    quoted: bool = False
    unit: str = ""
    example: str = ""


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError(text)
    return int(text)


_SIZE_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}


def _size(text: str) -> int:
    match = re.fullmatch(r"([+-]?[0-9]+)([KMG]?)", text.upper())
    if not match:
        raise ValueError(text)
    return int(match[1]) * _SIZE_UNITS[match[2]]


def _show_size(value: int) -> str:
    for suffix, unit in reversed(_SIZE_UNITS.items()):
        if value and value % unit == 0:
            return f"{value // unit}{suffix}"
    return str(value)


_SECONDS_UNITS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def _seconds(text: str) -> float:
    match = re.fullmatch(r"([+-]?[0-9]+(?:\.[0-9]*)?)(ms|s|m|h|)", text)
    if not match:
        raise ValueError(text)
    return float(match[1]) * _SECONDS_UNITS[match[2]]


def _show_seconds(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _octal(text: str) -> int:
    if not re.fullmatch(r"(0o)?[0-7]+", text):
        raise ValueError(text)
    return int(text, 8)


_SWITCHES = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}


def _switch(text: str) -> bool:
    if text.lower() not in _SWITCHES:
        raise ValueError(text)
    return _SWITCHES[text.lower()]


def _texts(values: Iterable[Any]) -> tuple[str, ...]:
    if not all(isinstance(value, str) for value in values):
        raise ValueError(values)
    return tuple(values)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)


def _processes(text: str) -> int:
    return processors() if text == "auto" else _integer(text)


TEXT = Kind("text", "TEXT", (str,), str)
INTEGER = Kind("a whole number", "INT", (int,), _integer, toml=str)
PROCESSES = dataclasses.replace(INTEGER, noun="a whole number or auto", from_text=_processes, quoted=True)
SIZE = Kind(
    "a number of bytes", "SIZE", (int,), _size, show=_show_size, quoted=True, unit="bytes", example="65536, 64K, 8M, 1G"
)
SECONDS = Kind(
    "a number of seconds",
    "SECONDS",
    (int, float),
    _seconds,
    from_value=float,
    show=_show_seconds,
    toml=_show_seconds,
    quoted=True,
    unit="seconds",
    example="30, 1.5, 500ms, 2m",
)
OCTAL = Kind("an octal file mode", "MODE", (int,), _octal, show="{:03o}".format, quoted=True, example="'600' or 0o600")
SWITCH = Kind(
    "a switch", "", (bool,), _switch, show=lambda value: "on" if value else "off", toml=lambda value: str(value).lower()
)
# One that takes a word, so that its default can be taken back in so many words: --strict-host no.
YES_NO = dataclasses.replace(
    SWITCH, noun="yes or no", metavar="yes|no", show=lambda value: "yes" if value else "no", quoted=True
)
LIST = Kind(
    "text or a list of texts",
    "TEXT",
    (list, tuple),
    _split,
    from_value=_texts,
    show=", ".join,
    toml=lambda value: json.dumps(list(value), ensure_ascii=False),
    quoted=True,
)
# "auto" is how text says None, so that a flag can take back what a file has set.
LOG_FILE = Kind(
    "the name of a file, - or off",
    "FILE",
    (str, type(None)),
    lambda text: None if text == "auto" else text,
    show=lambda value: "auto" if value is None else value,
    quoted=True,
)
# Empty is how text says None, here and below.
OPTIONAL_PORT = dataclasses.replace(
    INTEGER,
    noun="a port",
    natives=(int, type(None)),
    from_text=lambda text: _integer(text) if text else None,
    show=lambda value: "" if value is None else str(value),
    toml=None,
    quoted=True,
)
NAME = Kind(
    "a name",
    "NAME",
    (str, type(None)),
    lambda text: text or None,
    show=lambda value: "" if value is None else value,
    quoted=True,
)

"""What an option is: text or value in, checked value out, and messages that say what to do instead.

Knows neither which options exist (config.py) nor where their values come from (sources.py).
"""

import dataclasses
import difflib
import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from wsgiraw.errors import ConfigError
from wsgiraw.kinds import SWITCH, YES_NO, Kind

__all__ = ["Option", "declared", "did_you_mean", "field_value", "filled", "option"]

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option. `name` and `default` come from the field that it describes (see `declared`)."""

    name: str = ""
    default: Any = None
    help: str
    kind: Kind
    group: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    aliases: Mapping[str, str] = dataclasses.field(default_factory=dict)
    flags: tuple[str, ...] = ()
    repeatable: bool = False
    metavar: str = ""
    split: Callable[[str], tuple[str, ...]] | None = None
    check: Callable[[str], str] | None = None

    @property
    def flag(self) -> str:
        """The long flag, without its short and older names."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "WSGIRAW_" + self.name.upper()

    @property
    def range(self) -> str:
        """What is allowed, in words: `0 to 65535`, `eventloop, serial`, or nothing."""
        if self.choices:
            return ", ".join(self.choices)
        if self.minimum is None or self.maximum is None:
            return "on, off" if self.kind is SWITCH else "yes, no" if self.kind is YES_NO else ""
        number = int if self.default is None else type(self.default)
        numbers = (self.kind.from_value(number(bound)) for bound in (self.minimum, self.maximum))
        return " to ".join(self.kind.show(number) for number in numbers)

    def show(self, value: Any) -> str:
        """A value as one would type it after the flag."""
        return self.kind.show(value)

    def toml(self, value: Any) -> str:
        """A value as it stands in a TOML file."""
        return self.kind.toml(value) if self.kind.toml else json.dumps(self.kind.show(value), ensure_ascii=False)

    def from_text(self, text: str) -> Any:
        """The checked value of a flag or an environment variable. Raises ConfigError."""
        try:
            value = self.split(text) if self.split else self.kind.from_text(text)
        except ValueError:
            raise self._refusal(text) from None
        return self._checked(value)

    def from_value(self, value: Any) -> Any:
        """The checked value of a keyword argument or a TOML key. Raises ConfigError."""
        if isinstance(value, str) and self.kind.quoted:
            return self.from_text(value)
        # bool is an int to Python, but `port = true` is a mistake.
        fits = isinstance(value, self.kind.natives) and (bool in self.kind.natives or not isinstance(value, bool))
        try:
            if not fits:
                raise ValueError(value)
            return self._checked(self.kind.from_value(value))
        except (ValueError, OverflowError):
            raise self._refusal(value) from None

    def from_flag(self, given: str | bool | Sequence[str]) -> Any:
        """The checked value of a flag: text, all texts of one that is repeatable, or a bool. Raises ConfigError."""
        if isinstance(given, str):
            return self.from_text(given)
        if self.repeatable and not isinstance(given, bool):
            return tuple(one for text in given for one in self.from_text(text))
        return self.from_value(given)

    def _refusal(self, value: Any) -> ConfigError:
        return ConfigError(f"{self.name} {value!r} is not {self.kind.noun}{self._advice()}")

    def _advice(self) -> str:
        parts = [part for part in (self.range, self.kind.unit) if part]
        example = f" (such as {self.kind.example})" if self.kind.example else ""
        return f": give {' '.join(parts)}{example}" if parts else ""

    def _checked(self, value: Any) -> Any:
        if value is None:
            return None
        if self.choices:
            value = self.aliases.get(value.lower(), value.lower())
            if value not in self.choices:
                raise ConfigError(
                    f"{self.name} {value!r} is not one of {self.range}{did_you_mean(value, self.choices, ': ')}"
                )
        # Written so that NaN, which compares false with everything, is out of range.
        if self.minimum is not None and self.maximum is not None and not self.minimum <= value <= self.maximum:
            raise ConfigError(f"{self.name} {self.show(value)} is out of range{self._advice()}")
        if self.check is None:
            return value
        try:
            return tuple(map(self.check, value)) if isinstance(value, tuple) else self.check(value)
        except ValueError as error:
            raise ConfigError(f"{self.name} {error}") from None


def option(default: T, help: str, *, kind: Kind, group: str, **more: Any) -> T:  # noqa: A002 - as argparse calls it
    """A dataclass field that carries an Option; `more` are Option's other fields."""
    described = Option(help=help, kind=kind, group=group, **more)
    return dataclasses.field(default=default, metadata={"option": described})


def filled(text: str) -> str:
    """Refuse the empty text, and what no name on a file system can hold."""
    if not text or "\0" in text:
        raise ValueError("'' is empty: give a name" if not text else f"{text!r} holds a NUL")
    return text


def field_value(text: str) -> str:
    """Refuse what cannot be the value of a field in a response; the empty text can, and means that none is sent."""
    # RFC 9110 §5.5: a field value begins and ends with a visible character and holds no control characters.
    if not re.fullmatch(r"(?:[!-~](?:[ -~]*[!-~])?)?", text):
        raise ValueError(f"{text!r} cannot be sent: use printable ASCII without spaces around it")
    return text


@functools.cache
def declared(configuration: type) -> dict[str, Option]:
    """The options of a dataclass by name, in the order in which they were declared."""
    return {
        field.name: dataclasses.replace(field.metadata["option"], name=field.name, default=field.default)
        for field in dataclasses.fields(configuration)
    }


def did_you_mean(word: str, candidates: Iterable[str], before: str = ": ") -> str:
    """`: did you mean 'port'?` for the candidate nearest to `word`, or nothing when none is near."""
    found = difflib.get_close_matches(word, sorted(candidates), n=1)
    return f"{before}did you mean {found[0]!r}?" if found else ""

"""Flags made from options: an argument parser whose flags, help and faults follow from how options are declared.

It is what the command `wsgiraw` and its subcommands have in common. Knows no option, and reads no value: what a flag
gives is text, a list of texts or a bool, for `Option.from_text` and the like.
"""

import argparse
import shutil
from collections.abc import Sequence
from typing import Any, NoReturn

from wsgiraw.errors import ConfigError
from wsgiraw.kinds import SWITCH
from wsgiraw.options import Option, declared, did_you_mean

__all__ = ["FlagParser", "add_option", "add_options"]


class FlagParser(argparse.ArgumentParser):
    """Parses what follows `prog`; every fault is a ConfigError that says what to do. Knows `--help`, of course."""

    def __init__(self, prog: str, usage: str, description: str, epilog: str = "") -> None:
        def formatter(prog: str) -> argparse.HelpFormatter:
            width = min(100, shutil.get_terminal_size().columns) - 2
            return argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=width)

        super().__init__(
            prog=prog,
            usage=usage,
            description=description,
            epilog=epilog,
            formatter_class=formatter,
            add_help=False,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Raise ConfigError, where argparse would print its usage and exit."""
        raise ConfigError(f"{message.removeprefix('argument ')}; see {self.prog} --help")

    def flags(self, argv: Sequence[str]) -> tuple[dict[str, Any], str | None]:
        """Return what was given, by name, and the first flag that there is not, or argument that is too many."""
        arguments, unknown = self.parse_known_intermixed_args(argv)
        return vars(arguments), unknown[0].partition("=")[0] if unknown else None

    def no_such(self, flag: str) -> ConfigError:
        """Return what to say of a flag that there is not, or of an argument that is too many."""
        if not flag.startswith("-"):
            return ConfigError(f"{flag!r} is one argument too many; see {self.prog} --help")
        hint = did_you_mean(flag, self._option_string_actions) or f"; see {self.prog} --help"
        return ConfigError(f"there is no flag {flag}{hint}")


def add_options(parser: FlagParser, configuration: type, *, variables: bool = True) -> None:
    """Add a flag for each option that a dataclass declares, in groups as it names them.

    `variables`: each is read from an environment variable, too, and its help says from which.
    """
    groups: dict[str, argparse._ArgumentGroup] = {}
    for option in declared(configuration).values():
        if option.group not in groups:
            groups[option.group] = parser.add_argument_group(option.group)
        add_option(groups[option.group], option, variables=variables)


def add_option(group: argparse._ArgumentGroup, option: Option, *, variables: bool = True) -> None:
    """Add the flag of one option; that of `app` is no flag but an argument."""
    default = f"default {option.show(option.default) or 'none'} {option.kind.unit}".rstrip()
    facts = [default, "" if option.kind is SWITCH else option.range, option.variable if variables else ""]
    # argparse formats help texts with %.
    text = f"{option.help} [{'; '.join(fact for fact in facts if fact)}]".replace("%", "%%")
    more: dict[str, Any] = {"default": argparse.SUPPRESS, "help": text}
    if option.name == "app":
        group.add_argument("app", nargs="*", metavar="app", **more)
        return
    if option.kind is SWITCH:
        more["action"] = argparse.BooleanOptionalAction
    else:
        more["metavar"] = option.metavar or option.kind.metavar
        if option.repeatable:
            more["action"] = "append"
    short = [flag for flag in option.flags if not flag.startswith("--")]
    older = [flag for flag in option.flags if flag.startswith("--")]
    group.add_argument(*short, option.flag, *older, dest=option.name, **more)

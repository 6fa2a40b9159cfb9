"""Who workers are: `--user`, `--group` and `--umask`, looked up before anything starts, taken on after the fork."""

import grp
import os
import pwd
from dataclasses import dataclass

from wsgiraw.errors import ConfigError

__all__ = ["Privileges"]


@dataclass(frozen=True, slots=True)
class Privileges:
    """A user, a group and a umask; None leaves as it is."""

    user: int | None = None
    group: int | None = None
    name: str | None = None
    """Of the user, for the groups that it belongs to; None where no user is given, or one that has only a number."""
    umask: int | None = None

    @classmethod
    def named(cls, user: str | None, group: str | None, umask: str | None) -> "Privileges":
        """Look up names or numbers. Raises `ConfigError`, also where this process may not become that user."""
        number, own_group, name = _user(user) if user is not None else (None, None, None)
        group_number = own_group if group is None else _group(group)
        if os.geteuid() != 0 and (number not in (None, os.geteuid()) or group_number not in (None, os.getegid())):
            raise ConfigError(f"user {user or '-'}, group {group or '-'}: only root can become somebody else")
        return cls(number, group_number, name, None if umask is None else int(umask, 8))

    def take_on(self) -> None:
        """Become that user. There is no way back."""
        if self.umask is not None:
            os.umask(self.umask)
        if os.geteuid() != 0:
            return  # we are that user already
        if self.group is not None:
            # Before setuid: afterwards nothing of this would be allowed, and root's groups would stay.
            if self.name is not None:
                os.initgroups(self.name, self.group)
            else:
                os.setgroups([self.group])
            os.setgid(self.group)
        if self.user is not None:
            os.setuid(self.user)

    def give(self, path: str) -> None:
        """Let the workers own a file that the master has opened, so that they can open it again."""
        if os.geteuid() == 0 and (self.user, self.group) != (None, None):
            os.chown(path, -1 if self.user is None else self.user, -1 if self.group is None else self.group)


def _user(text: str) -> tuple[int, int | None, str | None]:
    try:
        entry = pwd.getpwuid(int(text)) if text.isdecimal() else pwd.getpwnam(text)
    except (KeyError, OverflowError):
        if not text.isdecimal() or int(text) >= 2**32 - 1:
            raise ConfigError(f"user {text!r} does not exist: give a name or a number that does") from None
        return int(text), None, None
    return entry.pw_uid, entry.pw_gid, entry.pw_name


def _group(text: str) -> int:
    try:
        return int(text) if text.isdecimal() and int(text) < 2**32 - 1 else grp.getgrnam(text).gr_gid
    except KeyError:
        raise ConfigError(f"group {text!r} does not exist: give a name or a number that does") from None

"""Where a path may lead: a folder and what lies in it, never outside, whatever is renamed while we look.

A file is reached as openat(2) allows it without a race: one directory after another, each opened relative to the one
before and none of them a symbolic link (O_NOFOLLOW), so that nothing that is put there meanwhile can lead out. A
symbolic link that stays inside is taken apart into the names that it stands for, and those are opened in the same way.
Only the way to the folder itself, which the operator has named, may have links. It reads no file.
"""

import errno
import os
import stat
from collections.abc import Sequence
from contextlib import suppress

__all__ = ["Folder", "names_of"]

_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # O_NONBLOCK: a FIFO without a writer would hold us up
_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_LINK = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EMLINK})
"""What O_NOFOLLOW says of a symbolic link: ENOTDIR with O_DIRECTORY, EMLINK on FreeBSD."""

_NOT_THERE = _LINK | {
    errno.ENOENT,
    errno.EACCES,
    errno.EPERM,
    errno.ENAMETOOLONG,
    errno.EILSEQ,  # a name that is no UTF-8, where the file system wants that
    errno.ENXIO,  # a socket, or a device that is not there
    errno.ENODEV,
}
"""What says that there is nothing for us to serve. Anything else, such as EMFILE and EIO, is a fault."""

_ABSENT, _PERHAPS_A_LINK = -1, -2

_LINKS = 40
"""Symbolic links that one path may go through, as in Linux."""

_WELL_KNOWN = b".well-known"  # RFC 8615


def names_of(path: str) -> list[bytes] | None:
    """Return the names on a path as PEP 3333 has it, the last one empty behind a slash; None where it may lead nowhere.

    That is a path with an empty name (`//`), a NUL, a backslash, which some clients take for a slash, or a name that
    begins with a dot: `.` and `..`, and hidden files such as `.git` and `.env`; but for `.well-known`.
    """
    if not path:
        return []
    try:
        octets = path.encode("latin-1")
    except UnicodeEncodeError:
        return None
    first, *names = octets.split(b"/")
    if first or b"\0" in octets or b"\\" in octets or b"" in names[:-1]:
        return None
    if b"/." in octets and any(name[:1] == b"." and name != _WELL_KNOWN for name in names):
        return None
    return names


class Folder:
    """A directory, and files and directories in it by the names that lead there."""

    def __init__(self, path: str, follow_symlinks: bool = False) -> None:
        """`path` is absolute. Links that lead out of it are followed only where `follow_symlinks` says so."""
        self.path = os.fsencode(path)
        self.follow_symlinks = follow_symlinks

    def may_have(self, names: Sequence[bytes]) -> bool:
        """Return whether it is worth while to open something: where not, this costs a third."""
        return os.access(b"/".join((self.path, *names)), os.F_OK)

    def open(self, names: Sequence[bytes]) -> int | None:
        """Return a new descriptor of what names lead to, whatever it is; None where nothing is there for us.

        Raises `OSError` for what is not the path's fault.
        """
        descriptor = self._opened(names)
        if descriptor == _PERHAPS_A_LINK and not self.follow_symlinks and (real := self._real(names)) is not None:
            descriptor = self._opened(real)
        return descriptor if descriptor >= 0 else None

    def open_file(self, names: Sequence[bytes]) -> tuple[int, os.stat_result] | None:
        """The same for regular files, with their status."""
        found = self.open_either(names)
        if found is None or stat.S_ISREG(found[1].st_mode):
            return found
        os.close(found[0])
        return None

    def open_either(self, names: Sequence[bytes]) -> tuple[int, os.stat_result] | None:
        """The same for regular files and directories. Devices, FIFOs and sockets are never there."""
        descriptor = self.open(names)
        if descriptor is None:
            return None
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
            return descriptor, status
        os.close(descriptor)
        return None

    def _opened(self, names: Sequence[bytes]) -> int:
        """Open what names lead to; where links are not followed, only if none of them is a link."""
        directory: int | None = None
        if self.follow_symlinks or not names:
            names = [b"/".join((self.path, *names))]
            flags = _FILE
        else:
            names = [self.path + b"/" + names[0], *names[1:]]
            flags = _FILE | os.O_NOFOLLOW
        try:
            for name in names[:-1]:
                outer, directory = directory, os.open(name, _DIRECTORY, dir_fd=directory)
                if outer is not None:
                    os.close(outer)
            return os.open(names[-1], flags, dir_fd=directory)
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
            return _PERHAPS_A_LINK if error.errno in _LINK else _ABSENT
        finally:
            if directory is not None:
                os.close(directory)

    def _real(self, names: Sequence[bytes]) -> list[bytes] | None:
        """Return the names without links that names stand for; None where there are no links, or one leads out.

        What is found here may have changed a moment later. That does no harm: none of the names it returns is followed
        if it is a link by then.
        """
        done: list[bytes] = []
        pending = list(reversed(names))
        links = 0
        while pending:
            name = pending.pop()
            if name == b"..":
                if not done:
                    return None
                done.pop()
            elif name not in (b"", b"."):
                try:
                    target = os.readlink(b"/".join((self.path, *done, name)))  # noqa: PTH115 - octets, no Path
                except OSError as error:
                    if error.errno != errno.EINVAL:  # not there, so nothing behind it is: a path may have thousands
                        return None
                    done.append(name)  # not a link
                    continue
                links += 1
                if links > _LINKS:
                    return None
                if target.startswith(b"/"):
                    inside = self._inside(target)
                    if inside is None:
                        return None
                    done, target = [], inside
                pending += reversed(target.split(b"/"))
        return done if links else None

    def _inside(self, target: bytes) -> bytes | None:
        """Return where an absolute path leads, seen from the folder by one of its two names; None for outside."""
        for root in (self.path, os.path.realpath(self.path)):
            if target == root or target.startswith(root.rstrip(b"/") + b"/"):
                return target[len(root) :]
        return None

    def entries(self, names: Sequence[bytes]) -> list[tuple[bytes, bool, os.stat_result]] | None:
        """Return (name, whether it is a directory, status) of all in a directory that would be served, in order."""
        directory = self.open_either(names)
        if directory is None:
            return None
        try:
            if not stat.S_ISDIR(directory[1].st_mode):
                return None
            with os.scandir(directory[0]) as scanned:
                inner = [os.fsencode(entry.name) for entry in scanned]
        finally:
            os.close(directory[0])
        found = []
        for name in sorted(inner):
            if names_of("/" + name.decode("latin-1")) is None:
                continue
            with suppress(OSError):
                opened = self.open_either([*names, name])
                if opened is not None:
                    os.close(opened[0])
                    found.append((name, stat.S_ISDIR(opened[1].st_mode), opened[1]))
        return found

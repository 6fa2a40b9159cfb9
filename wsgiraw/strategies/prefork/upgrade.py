"""A new master on the same sockets: the old one starts it, and leaves once the new one says that it is ready.

What the new one must know stands in an environment variable: the descriptors of the listening sockets by address, one
to say "ready" to, and the number of the old one.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from wsgiraw.errors import ConfigError
from wsgiraw.net import Listener, adopt
from wsgiraw.observe import log
from wsgiraw.strategies.prefork.inbox import Inbox
from wsgiraw.strategies.prefork.worker import flush

__all__ = ["Predecessor", "Upgrade", "predecessor"]

_VARIABLE = "_WSGIRAW_UPGRADE"

_READY = b"ready"


@dataclass(slots=True)
class Predecessor:
    """The master that has started this one, and serves until told that this one does."""

    pid: int
    listeners: Mapping[str, Sequence[Listener]]
    _descriptor: int

    def relieve(self) -> None:
        """Say that we are ready."""
        with suppress(BrokenPipeError):  # it has not waited
            os.write(self._descriptor, _READY)
        os.close(self._descriptor)
        self._descriptor = -1

    def descriptors(self) -> list[int]:
        """Return what no worker may hold, because its end tells the predecessor that we have failed."""
        return [self._descriptor] if self._descriptor >= 0 else []


def predecessor(environ: MutableMapping[str, str]) -> Predecessor | None:
    """Return who has started us for an upgrade, if that is so. Raises `ConfigError`."""
    text = environ.pop(_VARIABLE, None)
    if text is None:
        return None
    try:
        told = json.loads(text)
        os.set_inheritable(told["ready"], False)
        listeners = {
            address: [adopt(address, descriptor, inode) for descriptor, inode in sockets]
            for address, sockets in told["listeners"].items()
        }
        return Predecessor(told["pid"], listeners, told["ready"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{_VARIABLE} is not what a master leaves there: unset it") from error


class Upgrade:
    """The new master that this one has started, if any, until it is ready or has failed."""

    def __init__(self) -> None:
        self.pid = 0
        """The new master, 0 if there is none."""
        self._reader = -1
        self._failed: set[int] = set()

    def start(
        self,
        listeners: Mapping[str, Sequence[Listener]],
        start_directory: str,
        inbox: Inbox,
        bequeath: Callable[[], Mapping[str, str]],
    ) -> None:
        """Start this command again, from the directory where it was given. Raises `OSError`.

        `bequeath` is called in its process, and returns what is added to its environment.
        """
        reader, writer = os.pipe2(os.O_CLOEXEC)
        passed = {address: [(one.socket.fileno(), one.inode) for one in some] for address, some in listeners.items()}
        told = json.dumps({"pid": os.getpid(), "ready": writer, "listeners": passed})
        inheritable = [writer, *(descriptor for sockets in passed.values() for descriptor, _ in sockets)]
        try:
            flush()
            with inbox.held_back() as mask:
                pid = os.fork()
                if pid == 0:
                    inbox.leave()
                    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
                    _execute(start_directory, inheritable, told, bequeath)
        except OSError:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        self.pid, self._reader = pid, reader

    def descriptors(self) -> list[int]:
        """Return what is readable once the new master is ready or has failed."""
        return [self._reader] if self.pid else []

    def end(self) -> bool:
        """Return whether the new master says that it is ready; once `descriptors()` are readable."""
        ready = os.read(self._reader, len(_READY)) == _READY
        self._forget()
        return ready

    def stop(self) -> None:
        """Let the new master end, if there is one."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
            self._forget()

    def _forget(self) -> None:
        os.close(self._reader)
        self._failed.add(self.pid)
        self.pid = 0

    def reap(self) -> None:
        """Leave no zombie of a new master that has failed."""
        for pid in tuple(self._failed):
            try:
                ended = os.waitpid(pid, os.WNOHANG)[0]
            except ChildProcessError:
                ended = pid
            if ended:
                self._failed.discard(pid)


def _execute(
    directory: str, inheritable: Sequence[int], told: str, bequeath: Callable[[], Mapping[str, str]]
) -> NoReturn:
    """Become the new master."""
    try:
        for descriptor in inheritable:
            os.set_inheritable(descriptor, True)
        os.chdir(directory)
        environ = {**os.environ, **bequeath(), _VARIABLE: told}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environ)
    except OSError as error:
        log.error("cannot start a new master: %s", error)
    finally:
        os._exit(1)

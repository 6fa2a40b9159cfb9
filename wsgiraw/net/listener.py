"""A listening socket: what a request needs to know of it, accepting from it, closing it. Never blocks, never waits."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wsgiraw.net.newcomers import refuse_newcomers

__all__ = ["Listener", "OutOfDescriptors", "locked"]

_MAPPED = "::ffff:"
"""How a socket of both families shows an IPv4 address (RFC 4291 §2.5.5.2)."""

_OUT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class OutOfDescriptors(Exception):
    """The process or the machine has no room for another connection; it stays in the kernel's queue."""


class Listener:
    """A listening socket and what a request needs to know of it."""

    def __init__(self, sock: socket.socket, *, unlink: Path | None = None, inode: int = 0, lent: bool = False) -> None:
        """Take over a listening socket. `unlink` is the path of a unix socket that is ours to remove.

        `inode` is that of its file, by default as it is now. On a `lent` socket others listen after us.
        """
        self.socket = sock
        self.redirects = False
        """Clients are sent to https."""
        self._lent = lent
        self._unlink = unlink.absolute() if unlink else None  # the application may change the directory
        self._process = os.getpid()
        self.inode = (inode or unlink.stat().st_ino) if unlink else 0
        """The number of the unix socket's file; 0 where there is none or it is not ours to remove."""
        sock.setblocking(False)
        name = sock.getsockname()
        if sock.family == socket.AF_UNIX:
            self._location = f"unix:{name}"
            self.server_name, self.server_port = "localhost", "80"
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted sockets inherit it
            host, port = name[:2]
            wildcard = host in ("0.0.0.0", "::")
            shown = "localhost" if wildcard else f"[{host}]" if ":" in host else host
            self._location = f"{shown}:{port}"
            self.server_name = socket.gethostname() if wildcard else shown
            self.server_port = str(port)

    def url(self, *, tls: bool) -> str:
        """Return where it answers: `http://127.0.0.1:8000`, `https://...` where TLS is spoken, or `unix:/path`."""
        if self.socket.family == socket.AF_UNIX:
            return self._location
        return f"{'https' if tls and not self.redirects else 'http'}://{self._location}"

    @property
    def port(self) -> int:
        """The TCP port; 0 for a unix socket."""
        return 0 if self.socket.family == socket.AF_UNIX else int(self.server_port)

    def accept(self) -> tuple[socket.socket, str, str] | None:
        """Return the next connection with its peer's address and port ("" for unix sockets), or None.

        Raises `OutOfDescriptors`; the caller stops accepting for a while.
        """
        while True:
            try:
                connection, peer = self.socket.accept()
            except BlockingIOError:
                return None
            except OSError as error:
                if error.errno in _OUT_OF_DESCRIPTORS:
                    raise OutOfDescriptors(os.strerror(error.errno)) from error
                if error.errno == errno.EINVAL or self.socket.fileno() < 0:
                    return None  # shut down meanwhile
                continue  # ECONNABORTED and the like: that client has gone, the next may not have
            connection.setblocking(False)
            if isinstance(peer, tuple):
                return connection, peer[0].removeprefix(_MAPPED) if "." in peer[0] else peer[0], str(peer[1])
            return connection, "", ""

    def refuse_newcomers(self) -> None:
        """Let nobody else into the queue before it is emptied for the last time; not where the socket is lent."""
        if not self._lent:
            refuse_newcomers(self.socket)

    def let_be(self) -> None:
        """Leave the unix socket's file to another process, which listens there, too."""
        self._unlink, self.inode = None, 0

    def close(self) -> None:
        """Stop listening; remove the unix socket's file unless somebody else has put theirs there.

        A forked process gives up its share of the socket only.
        """
        self.socket.close()
        if self._unlink is None or self._process != os.getpid():
            return
        path, self._unlink = self._unlink, None
        with suppress(FileNotFoundError), locked(path.parent):  # perhaps the whole folder is gone
            if path.stat().st_ino == self.inode:
                path.unlink()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let nobody else look at the sockets of a folder, remove or create them."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

"""Sockets: where to listen, how to accept, how to leave. Knows nothing of HTTP and never blocks after `listen`."""

import errno
import fcntl
import os
import socket
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wsgiraw.addresses import InheritedAddress, UnixAddress, parse_address
from wsgiraw.errors import ConfigError
from wsgiraw.newcomers import refuse_newcomers

__all__ = ["OUT_OF_DESCRIPTORS", "Listener", "OutOfDescriptors", "abort", "cut", "end", "listen"]

_MAPPED = "::ffff:"
"""How a socket of both families shows an IPv4 address (RFC 4291 §2.5.5.2)."""

OUT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class OutOfDescriptors(Exception):
    """The process or the machine has no room for another connection; it stays in the kernel's queue."""


class Listener:
    """A listening socket and what a request needs to know of it."""

    def __init__(self, sock: socket.socket, *, unlink: Path | None = None, inode: int = 0, lent: bool = False) -> None:
        """Take over a listening socket. `unlink` is the path of a unix socket that is ours to remove.

        `inode` is that of its file, by default as it is now. On a `lent` socket others listen after us.
        """
        self.socket = sock
        self._lent = lent
        self._unlink = unlink.absolute() if unlink else None  # the application may change the directory
        self._process = os.getpid()
        self.inode = (inode or unlink.stat().st_ino) if unlink else 0
        """The number of the unix socket's file; 0 where there is none or it is not ours to remove."""
        sock.setblocking(False)
        name = sock.getsockname()
        if sock.family == socket.AF_UNIX:
            self.url = f"unix:{name}"
            self.server_name, self.server_port = "localhost", "80"
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted sockets inherit it
            host, port = name[:2]
            wildcard = host in ("0.0.0.0", "::")
            shown = "localhost" if wildcard else f"[{host}]" if ":" in host else host
            self.url = f"http://{shown}:{port}"
            self.server_name = socket.gethostname() if wildcard else shown
            self.server_port = str(port)

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
                if error.errno in OUT_OF_DESCRIPTORS:
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
        with suppress(FileNotFoundError), _locked(path.parent):  # perhaps the whole folder is gone
            if path.stat().st_ino == self.inode:
                path.unlink()


def listen(address: str, backlog: int, socket_mode: int, give: Callable[[str], object] | None = None) -> list[Listener]:
    """Listen on one address of `--bind`; return a listener per socket, for a host name one per address it has.

    `give` gives the file of a unix socket to whom it is to belong. Raises `ConfigError`.
    """
    try:
        match parse_address(address):
            case UnixAddress(path):
                return [_listen_unix(Path(path), backlog, socket_mode, give)]
            case InheritedAddress(descriptor):
                return [_inherit(descriptor)]
            case (host, port):
                return _listen_tcp(host, port, backlog)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    except OSError as error:
        raise ConfigError(f"cannot listen on {address}: {error.strerror or error}") from error


def adopt(address: str, descriptor: int, inode: int = 0) -> Listener:
    """Take over a socket that another process bound to an address, and its file `inode`. Raises `OSError`."""
    sock = socket.socket(fileno=descriptor)
    sock.set_inheritable(False)
    match parse_address(address):
        case UnixAddress(path) if inode:
            return Listener(sock, unlink=Path(path), inode=inode)
        case InheritedAddress():
            return Listener(sock, lent=True)
    return Listener(sock)


def _listen_tcp(host: str, port: int, backlog: int) -> list[Listener]:
    if host in ("", "*") and socket.has_dualstack_ipv6():
        return [_listen_at(socket.AF_INET6, ("::", port), backlog, dual=True)]
    name = host.strip("[]") if host not in ("", "*") else "0.0.0.0"
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listeners: list[Listener] = []
    for family, _, _, _, sockaddr in dict.fromkeys(found):
        target = (sockaddr[0], listeners[0].port if listeners and port == 0 else port, *sockaddr[2:])
        try:
            listeners.append(_listen_at(family, target, backlog))
        except OSError as error:
            if listeners and error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                continue  # localhost names ::1 on machines without IPv6
            for listener in listeners:
                listener.close()
            raise
    return listeners


def _listen_at(family: int, sockaddr: tuple[object, ...], backlog: int, *, dual: bool = False) -> Listener:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart works while old connections linger
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual)
        sock.bind(sockaddr)
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return Listener(sock)


def _listen_unix(path: Path, backlog: int, mode: int, give: Callable[[str], object] | None) -> Listener:
    """Listen on a path. Whoever looks at the file, removes or creates it holds a lock on its folder."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _locked(path.parent):
            _remove_stale(path)
            sock.bind(str(path))
            path.chmod(mode)  # before listen(): nobody connects with the wrong permissions
            if give is not None:
                give(str(path))
            sock.listen(backlog)
            return Listener(sock, unlink=path)
    except OSError:
        sock.close()
        raise


def _remove_stale(path: Path) -> None:
    """Remove a socket that nobody listens on; refuse anything else that is there."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(errno.EEXIST, "a file that is not a socket is there: remove it or choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # where the queue is full, connecting would wait
        try:
            with suppress(BlockingIOError):
                probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise OSError(errno.EADDRINUSE, "another server listens on this socket")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _inherit(descriptor: int) -> Listener:
    """Take over a listening socket that a parent process left open."""
    own = os.dup(descriptor)
    try:
        sock = socket.socket(fileno=own)
    except OSError:
        os.close(own)
        raise
    if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        sock.close()
        raise OSError(errno.EINVAL, "the descriptor is not a listening socket")
    return Listener(sock, lent=True)


def abort(connection: socket.socket) -> None:
    """Close so that the client can tell that something is missing: with a reset instead of an orderly end."""
    with suppress(OSError):  # it has gone already
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    connection.close()


def end(connection: socket.socket) -> None:
    """End a connection that another thread uses and will close: from now on it reads the end, and sends in vain."""
    with suppress(OSError):  # it has gone already
        connection.shutdown(socket.SHUT_RDWR)


def cut(connection: socket.socket) -> None:
    """End it so that the client can tell that something is missing, unless it has read so far before it is closed."""
    with suppress(OSError):  # it has gone already
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    end(connection)


_LINGER_NOT = struct.pack("ii", 1, 0)

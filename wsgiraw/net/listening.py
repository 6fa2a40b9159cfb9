"""Where to listen: an address of `--bind` to listeners. It binds and closes; it accepts nothing and knows no HTTP."""

import errno
import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from wsgiraw.addresses import InheritedAddress, PassedAddress, UnixAddress, parse_address, redirects
from wsgiraw.errors import ConfigError
from wsgiraw.net.listener import Listener, locked

__all__ = ["adopt", "listen"]


def listen(address: str, backlog: int, socket_mode: int, give: Callable[[str], object] | None = None) -> list[Listener]:
    """Listen on one of `Config.addresses`; return a listener per socket, for a host name one per address it has.

    `give` gives the file of a unix socket to whom it is to belong. Raises `ConfigError`.
    """
    try:
        match parse_address(address):
            case UnixAddress(path):
                return [_listen_unix(Path(path), backlog, socket_mode, give)]
            case InheritedAddress(descriptor):
                return [_inherit(descriptor)]
            case PassedAddress():
                raise ValueError(f"cannot listen on {address}: nobody has passed a socket of that name")
            case (host, port):
                listeners = _listen_tcp(host, port, backlog)
                for listener in listeners:
                    listener.redirects = redirects(address)
                return listeners
    except ValueError as error:
        raise ConfigError(str(error)) from error
    except OSError as error:
        remedy = ": end what listens there, or choose another" if error.errno == errno.EADDRINUSE else ""
        raise ConfigError(f"cannot listen on {address}: {error.strerror or error}{remedy}") from error


def adopt(address: str, descriptor: int, inode: int = 0) -> Listener:
    """Take over a socket that another process bound to an address, and its file `inode`. Raises `OSError`."""
    sock = socket.socket(fileno=descriptor)
    sock.set_inheritable(False)
    match parse_address(address):
        case UnixAddress(path) if inode:
            return Listener(sock, unlink=Path(path), inode=inode)
        case InheritedAddress():
            return Listener(sock, lent=True)
    listener = Listener(sock)
    listener.redirects = redirects(address)
    return listener


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
        with locked(path.parent):
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

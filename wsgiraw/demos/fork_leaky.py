"""A process for each connection, and the parent forgets to close its copy of the client's socket.

After a fork both processes have every descriptor, and a connection ends only when the last copy is closed. So clients
get their answer but never the end of it, and the parent's descriptors grow until there are no more: `--descriptors`
sets how many. Compare it with `fork`.
"""

import errno
import os
import resource
import signal
import socket

from wsgiraw.demos.arguments import add_seconds, count
from wsgiraw.demos.iterative import respond
from wsgiraw.flags import FlagParser

__all__ = ["PORT", "TRY", "add_arguments", "serve"]

PORT = 8888
TRY = "curl http://{address}/"


def add_arguments(parser: FlagParser) -> None:
    """Time, and the limit."""
    add_seconds(parser)
    parser.add_argument(
        "--descriptors", type=count, default=64, help="As `ulimit -n`: descriptors a process may have [default 64]."
    )


def serve(listener: socket.socket, seconds: float, descriptors: int) -> int:
    """Serve until no descriptor is left; return 1."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies: they are the next program's subject
    leaked = 0
    while True:
        try:
            client, (_, port, *_) = listener.accept()
        except OSError as error:
            if error.errno != errno.EMFILE:
                raise
            print(f"accept: {error.strerror}; {leaked} clients are still open here, and all of them wait")
            return 1
        if os.fork() == 0:
            try:
                listener.close()
                respond(client, seconds)
            finally:
                os._exit(0)
        leaked += 1
        # Python closes what nobody refers to any more, unless it is told to forget; in C, no close() is all it takes.
        print(f"port {port} is descriptor {client.detach()} here; {leaked} leaked")

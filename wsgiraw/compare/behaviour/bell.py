"""Knowing when the application has been called, and letting it go on: by datagrams, whatever process it is in."""

import socket
import threading
from types import TracebackType
from typing import Self

from wsgiraw.compare.loopback import HOST

__all__ = ["Bell"]


class Bell:
    """Requests for `target(name)` ring when the application has them, and are held there until `release`."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._port = self._socket.getsockname()[1]
        self._rung: dict[str, tuple[str, int]] = {}
        self._released = False
        self._changed = threading.Condition()
        self._listener = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._listener.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", (HOST, self._port))
        self._listener.join()
        self._socket.close()

    def target(self, name: str) -> str:
        """Return what to ask for."""
        return f"/hold?bell={self._port}&name={name}"

    def rung(self) -> set[str]:
        """Return the names of the requests that the application has been called for."""
        with self._changed:
            return set(self._rung)

    def wait(self, number: int, seconds: float) -> bool:
        """Wait up to so many seconds for that many requests to have rung; return whether they have."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._rung) >= number, seconds)

    def release(self) -> None:
        """Let all go on, those too that ring later."""
        with self._changed:
            self._released = True
            for address in self._rung.values():
                self._socket.sendto(b"go on", address)

    def _listen(self) -> None:
        while True:
            name, address = self._socket.recvfrom(64)
            if not name:
                return
            with self._changed:
                self._rung[name.decode("ascii", "replace")] = address
                if self._released:
                    self._socket.sendto(b"go on", address)
                self._changed.notify_all()

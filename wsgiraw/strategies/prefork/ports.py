"""The listening sockets of a master, by address, across reloads and upgrades: what stays the same is never closed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter

from wsgiraw.config import Config
from wsgiraw.net import Listener, listen
from wsgiraw.privileges import Privileges

__all__ = ["Ports"]

Opened = Mapping[str, Sequence[Listener]]
"""Listeners by address: for a host name one for each of its addresses."""


class Ports:
    """Which sockets we listen on. An address that the configuration names again keeps its sockets."""

    def __init__(
        self,
        inherited: Opened | None = None,
        addresses: Callable[[Config], Sequence[str]] = attrgetter("addresses"),
    ) -> None:
        """`inherited` are those of a master that this one is to succeed: they are shared until `take_over()`.

        `addresses` says where a configuration lets us listen, and may raise `ConfigError`.
        """
        self._addresses = addresses
        self._current: Opened = inherited or {}
        self._coming: Opened = {}
        self._shared = self.listeners
        """Another master listens here, too: the files of unix sockets are its own."""

    @property
    def listeners(self) -> list[Listener]:
        """All of them, in the order of the configuration."""
        return _all(self._current)

    @property
    def by_address(self) -> Opened:
        """All of them."""
        return self._current

    def open(self, config: Config) -> list[Listener]:
        """Open what this configuration names and nobody has opened; return all that it names.

        They are listened on besides the current ones until `adopt()` or `abandon()`. Raises `ConfigError`; then all is
        as before.
        """
        owner = Privileges.named(config.user, config.group, config.umask)
        opened: dict[str, Sequence[Listener]] = {}
        have = {**self._coming, **self._current}
        try:
            for address in dict.fromkeys(self._addresses(config)):
                found = have.get(address)
                if found is None:
                    found = listen(address, config.backlog, config.socket_mode, owner.give)
                opened[address] = found
        except BaseException:
            for address, listeners in opened.items():
                if address not in have:
                    for listener in listeners:
                        listener.close()
            raise
        before, self._coming = self._coming, opened
        self._close_all_but([*self.listeners, *_all(opened)], before)
        return _all(opened)

    def adopt(self) -> None:
        """Listen on what was opened last, and no longer on anything else."""
        before, self._current, self._coming = self._current, self._coming, {}
        surplus = [listener for listener in _all(before) if listener not in self.listeners]
        self.refuse_newcomers(surplus)
        self._close_all_but(self.listeners, before)

    def abandon(self) -> None:
        """Close what was opened last, except what is listened on anyway."""
        before, self._coming = self._coming, {}
        self._close_all_but(self.listeners, before)

    def besides(self, listeners: Iterable[Listener]) -> set[int]:
        """Return the descriptors of all that is open, without those of `listeners`."""
        opened = {listener.socket.fileno() for listener in (*self.listeners, *_all(self._coming))}
        return opened - {listener.socket.fileno() for listener in listeners}

    def take_over(self) -> None:
        """The master before us leaves: the files of unix sockets are ours to remove."""
        self._shared = []

    def hand_over(self) -> None:
        """A new master has taken over: its are the sockets, and the files of unix sockets."""
        self._shared = self.listeners

    def refuse_newcomers(self, listeners: Iterable[Listener]) -> None:
        """Prepare the last closing, unless another master listens on the same sockets."""
        for listener in listeners:
            if listener not in self._shared:
                listener.refuse_newcomers()

    def close(self) -> None:
        """Listen no longer."""
        self._close_all_but((), {**self._coming, **self._current})
        self._current = self._coming = {}

    def _close_all_but(self, kept: Sequence[Listener], opened: Opened) -> None:
        for listener in _all(opened):
            if listener not in kept:
                if listener in self._shared:
                    listener.let_be()
                listener.close()


def _all(opened: Opened) -> list[Listener]:
    return [listener for listeners in opened.values() for listener in listeners]

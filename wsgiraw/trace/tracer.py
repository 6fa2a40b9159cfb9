"""Puts a trace together: who is told, and the traced parts that a server is given instead of the plain ones."""

import itertools
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from wsgiraw.config import Config
from wsgiraw.errors import ConfigError
from wsgiraw.http11 import Connection
from wsgiraw.observe import reopen, wants_colour
from wsgiraw.strategies import Service
from wsgiraw.trace.application import traced
from wsgiraw.trace.exchange import CONVERSATION, Conversation
from wsgiraw.trace.gateway import TracedGateway
from wsgiraw.trace.output import Output
from wsgiraw.trace.text import rendered
from wsgiraw.trace.wire import TracedConnection
from wsgiraw.wsgi import Gateway, open_spool_file

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from wsgiraw.strategies.channel import Channel
    from wsgiraw.strategies.loop import EventLoop

__all__ = ["Tracer", "open_tracer"]


class Tracer:
    """Tells what requests do: as text, as JSON lines, or both."""

    def __init__(self, text: TextIO | None, lines: TextIO | None, *, secrets: bool, state: str = "") -> None:
        """`text` and `lines` are streams, of which `lines` is closed with us unless it is the process's own.

        `state` is where requests begin on a strategy that has no loop.
        """
        self._text = None if text is None else Output(text)
        self._lines = None if lines is None else Output(lines)
        self._colour = text is not None and wants_colour(text)
        self._secrets = secrets
        self._at_rest = state
        self._numbers = itertools.count(1)

    def tell(self, event: dict[str, Any]) -> None:
        """Write an event."""
        if self._text is not None:
            self._text.write(rendered(event, colour=self._colour))
        if self._lines is not None:
            self._lines.write(json.dumps(event) + "\n")

    def reopen(self) -> None:
        """Write to the file that has its name now, after the old one was moved away."""
        if self._lines is not None:
            reopen(self._lines.stream)

    def close(self) -> None:
        """Write no more."""
        for output in (self._text, self._lines):
            if output is not None:
                output.close()
        if self._lines is not None and self._lines.stream not in (sys.stdout, sys.stderr):
            self._lines.stream.close()

    # What a server is given

    def application(self, application: "WSGIApplication") -> "WSGIApplication":
        """Return an application that does the same, and is traced."""
        return traced(application)

    def gateway(self, application: "WSGIApplication", **more: Any) -> Gateway:
        """Return a gateway for it. The keywords are those of `Gateway`."""
        return TracedGateway(self._conversation, application, **more)

    def _conversation(self) -> Conversation:
        return Conversation(next(self._numbers), self.tell, lambda: self._at_rest, secrets=self._secrets)

    def service(self, service: Service) -> Service:
        """Return the same service, traced."""
        return replace(service, new_connection=new_connection, watch=self._watch)

    def _watch(self, loop: "EventLoop") -> None:
        """Look on at what a loop gives away."""
        self._at_rest = "loop"
        give_away = loop.give_away

        def told(channel: "Channel", **how: bool) -> None:
            _tell_of(channel.environ[CONVERSATION], how.get("queued"))
            give_away(channel, **how)

        loop.give_away = told  # type: ignore[method-assign]  # of this loop alone


def new_connection(gateway: Gateway, environ: dict[str, Any]) -> Connection:
    """Begin HTTP on a connection that a traced gateway has made the environ of."""
    return TracedConnection(gateway.limits, open_spool_file, environ[CONVERSATION])


def _tell_of(conversation: Conversation, queued: bool | None) -> None:
    """Tell where a loop gives a connection: to the queue, to a thread, or to the one that has lost the loop with it."""
    exchange = conversation.current
    if exchange is None:
        return
    if queued is None:  # the crew says which of the two; whoever has taken the loop says nothing
        conversation.elsewhere = exchange.state = "handed off"
        exchange.tell("handed off")
    elif exchange.answering:
        conversation.elsewhere = "thread"  # somebody has been quick
    else:
        conversation.elsewhere = "thread"
        if queued:
            exchange.state = "queued"
            exchange.tell("queued")


def open_tracer(config: Config, terminal: TextIO | None = None) -> Tracer:
    """Return what traces as the configuration says. Raises `ConfigError`.

    Text goes to the `terminal` that is given, unless JSON lines do, else to standard error.
    """
    text = None
    if config.trace and not (terminal is not None and config.trace_json == "-"):
        text = terminal or sys.stderr
        if text is None:  # as Python has it in a process that was started with it closed
            raise ConfigError("trace goes to standard error, which is closed: give trace_json a file")
    lines = None if config.trace_json is None else _opened(config.trace_json)
    return Tracer(text, lines, secrets=config.trace_secrets, state="" if terminal else config.strategy)


def _opened(path: str) -> TextIO:
    if path == "-":
        if sys.stdout is None:
            raise ConfigError("trace_json goes to standard output, which is closed: give a file")
        return sys.stdout
    try:
        return Path(path).absolute().open("a", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write the trace {path}: {error.strerror or error}") from error

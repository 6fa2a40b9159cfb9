"""A `Connection` that tells what comes in: octets, and the requests that they make. It changes nothing of that."""

import time
from collections.abc import Callable
from typing import BinaryIO

from wsgiraw.http11 import Connection, Limits, Request
from wsgiraw.http11.response import CONTINUE
from wsgiraw.trace.excerpt import variables_shown
from wsgiraw.trace.exchange import Conversation

__all__ = ["TracedConnection"]


class TracedConnection(Connection):
    """Tells `conversation` what happens."""

    __slots__ = ("_conversation",)

    def __init__(self, limits: Limits, open_file: Callable[[], BinaryIO], conversation: Conversation) -> None:
        super().__init__(limits, open_file)
        self._conversation = conversation

    def receive(self, data: bytes) -> None:
        self._conversation.elsewhere = ""  # only the loop hears
        self._conversation.received(data)
        super().receive(data)

    def next_request(self) -> Request | None:
        began = time.perf_counter()
        request = super().next_request()
        now = time.perf_counter()
        if request is None:
            if self.has_input or self.body_octets or self.state.name in ("HEAD", "BODY"):
                self._conversation.arriving().parsing += now - began
            return None
        exchange = self._conversation.arriving()
        exchange.began = min(exchange.began, began)  # it may have come with the one before
        exchange.parsing += now - began
        self._conversation.arrived().tell(
            "request",
            method=request.method,
            target=request.target,
            version=request.version,
            keep_alive=request.keep_alive,
            body=None if request.body is None else _size(request.body),
            fields=variables_shown(request.fields, secrets=self._conversation.secrets),
        )
        return request

    def takes_continue(self) -> bool:
        taken = super().takes_continue()
        if taken:  # whoever asks sends it
            self._conversation.sent(self._conversation.arriving(), CONTINUE)
        return taken


def _size(body: BinaryIO) -> int:
    size = body.seek(0, 2)
    body.seek(0)
    return size

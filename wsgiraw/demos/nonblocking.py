"""One thread that never waits for a socket: it asks each in turn, again and again.

What a thread kept on its stack, a `Conversation` keeps now. Nearly all of the asking is in vain, as it prints, and
the more clients there are the more is asked; `select` lets the kernel tell instead.
"""

import math
import socket
import time
from collections.abc import Callable

from wsgiraw.demos.arguments import add_seconds
from wsgiraw.demos.iterative import RESPONSE

__all__ = ["PORT", "TRY", "Conversation", "add_arguments", "serve"]

PORT = 8888
TRY = "wsgiraw demo load --clients 50 --port {port}"

HEAD_BYTES = 65536

add_arguments = add_seconds


class Conversation:
    """A client, and how far we are with it. No method waits."""

    def __init__(self, client: socket.socket, seconds: float) -> None:
        client.setblocking(False)  # recv, send and accept raise BlockingIOError where they would wait
        self.socket = client
        self.seconds = seconds
        self.heard = b""
        self.all_heard = False
        """The client has closed its end."""
        self.unsent = RESPONSE
        self.due = math.inf
        """When the answer is to begin: known once the head is complete. Nothing here may sleep."""
        self.end = math.inf
        """When we close, whether the client has or not: known once the answer is sent."""

    def hear(self) -> None:
        """Take what has come."""
        piece = self.socket.recv(4096)
        self.all_heard = not piece
        if self.due == math.inf:
            self.heard += piece
            complete = b"\r\n\r\n" in self.heard or b"\n\n" in self.heard or len(self.heard) >= HEAD_BYTES
            if complete or self.all_heard:
                self.due = time.monotonic() + self.seconds

    def speaks(self, now: float) -> bool:
        """Whether it is time to send something."""
        return bool(self.unsent) and now >= self.due

    def speak(self) -> None:
        """Send what the kernel takes of the answer, which may be a part."""
        self.unsent = self.unsent[self.socket.send(self.unsent) :]
        if not self.unsent:
            self.socket.shutdown(socket.SHUT_WR)
            self.end = time.monotonic() + 1  # as `part` does

    def attempt(self, step: Callable[[], None]) -> bool:
        """Hear or speak; return whether that was possible without waiting. A client that is lost has no more to say."""
        try:
            step()
        except BlockingIOError:
            return False
        except OSError:
            self.unsent, self.all_heard = b"", True
        return True

    def next_moment(self, now: float) -> float:
        """When there is something to do even if the client does nothing."""
        if not self.unsent:
            return self.end
        return math.inf if self.speaks(now) else self.due  # who speaks already waits for the client to take it

    def over(self) -> bool:
        """Whether nothing is left to do."""
        return not self.unsent and (self.all_heard or time.monotonic() >= self.end)


def serve(listener: socket.socket, seconds: float) -> None:
    """Ask everybody in turn."""
    listener.setblocking(False)
    conversations: list[Conversation] = []
    asked = vain = 0
    while True:
        asked += 1
        try:
            client, _ = listener.accept()
            conversations.append(Conversation(client, seconds))
        except BlockingIOError:
            vain += 1
        for conversation in conversations.copy():
            if not conversation.all_heard:
                asked += 1
                vain += not conversation.attempt(conversation.hear)
            if conversation.speaks(time.monotonic()):
                conversation.attempt(conversation.speak)
            if conversation.over():
                conversation.socket.close()
                conversations.remove(conversation)
                print(f"done with a client; asked {asked} times so far, {vain} of them in vain")
        time.sleep(0.001)  # or it would ask a million times a second, and use up a processor while nothing happens

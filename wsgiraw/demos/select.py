"""One thread for all, which sleeps until the kernel says for whom there is something to do.

It holds hundreds of silent clients and still answers the others at once. What may not happen in it is waiting: an
application that takes a second would take it from everybody, so here the second is only a time to wake up at. And
select() knows no descriptor above 1023, so the rest have to wait in the queue.
"""

import math
import select
import socket
import time
from contextlib import suppress

from wsgiraw.demos.arguments import add_seconds
from wsgiraw.demos.nonblocking import Conversation

__all__ = ["PORT", "TRY", "add_arguments", "serve"]

PORT = 8888
TRY = "wsgiraw demo load --clients 50 --port {port}"

CLIENTS = 1000

add_arguments = add_seconds


def serve(listener: socket.socket, seconds: float) -> None:
    """Wait for everybody at once."""
    listener.setblocking(False)  # who has knocked may be gone again when we open
    conversations: dict[socket.socket, Conversation] = {}
    while True:
        now = time.monotonic()
        readers = [client for client, conversation in conversations.items() if not conversation.all_heard]
        # A socket is nearly always ready to be written to: it is asked for only while there is something to say.
        writers = [client for client, conversation in conversations.items() if conversation.speaks(now)]
        if len(conversations) < CLIENTS:
            readers.append(listener)
        next_moment = min((conversation.next_moment(now) for conversation in conversations.values()), default=math.inf)
        timeout = None if next_moment == math.inf else max(0, next_moment - now)
        readable, writable, _ = select.select(readers, writers, [], timeout)
        for client in readable:
            if client is listener:
                welcome(listener, conversations, seconds)
            else:
                conversations[client].attempt(conversations[client].hear)
        for client in writable:
            conversations[client].attempt(conversations[client].speak)
        over = [client for client, conversation in conversations.items() if conversation.over()]
        for client in over:
            client.close()
            del conversations[client]
        if over:
            print(f"done with {len(over)}, {len(conversations)} are here")


def welcome(listener: socket.socket, conversations: dict[socket.socket, Conversation], seconds: float) -> None:
    """Accept one client, if it is still there."""
    with suppress(BlockingIOError):
        client, _ = listener.accept()
        conversations[client] = Conversation(client, seconds)

"""Requests of one channel to responses, as far as that goes without waiting. Any thread may do it, one at a time.

Only the channel is touched: no poller, no deadline, no other channel. What must come first before more can be done is
returned, and whoever turns the loop sees to it.
"""

import threading
from http import HTTPStatus

from wsgiraw.errors import ApplicationError, ClientDisconnected, HTTPError
from wsgiraw.http11 import State
from wsgiraw.http11.response import CONTINUE
from wsgiraw.observe import log
from wsgiraw.strategies.channel import Channel, Next
from wsgiraw.wsgi import Gateway

__all__ = ["advance", "refuse", "refuse_busy", "starved"]

IDLE, INPUT, ROOM = State.IDLE, Next.INPUT, Next.ROOM  # looked up at each request

_TURN = 32
"""Pieces or pipelined responses of one client before the others get their turn."""


def advance(channel: Channel, gateway: Gateway, persists: bool) -> Next:
    """Answer `channel.request` and those behind it, until more input, or more room for output, must come first.

    A response that was begun is gone on with; one that was given up (`channel.given_up`) is closed instead. Unless the
    channel `persists`, it ends with the next response.
    """
    try:
        if channel.given_up is not None:
            channel.close_response()
            return channel.given_up
        connection = channel.connection
        turn = _TURN
        while True:
            request = channel.request
            response = channel.response
            if response is None:
                if request is None:
                    request = connection.next_request()
                    if request is None:
                        if connection.state is IDLE and not channel.gathered:
                            return INPUT
                        return starved(channel)
                    channel.request = request
                channel.lingers = request.keep_alive or connection.has_input
                if not persists:
                    request.keep_alive = False
                if gateway.patience is not None:
                    gateway.patience.enter(request, channel.environ, channel.cut_off)
                response = channel.response = gateway.respond(request, channel.environ, channel.write_now)
            else:
                assert request is not None
                if gateway.patience is not None:
                    gateway.patience.enter(request, channel.environ, channel.cut_off)
            for octets in response:
                if request.answered and connection.has_input and request.keep_alive and type(octets) is bytes:
                    channel.gathered.append(octets)
                else:
                    channel.send(octets)
                turn -= 1
                if channel.unsent is not None or turn <= 0:
                    if gateway.patience is not None:
                        gateway.patience.pause(request)
                    return ROOM
            channel.response = channel.request = None
            if channel.unsent is not None:
                return ROOM  # of what `write()` gave to TLS
    except HTTPError as error:
        return refuse(channel, gateway, error)
    except ApplicationError:
        channel.close_response()
        return Next.ABORT
    except (ClientDisconnected, OSError):
        channel.close_response()
        return Next.DROP
    except KeyboardInterrupt:
        if threading.current_thread() is threading.main_thread():
            raise  # the operator's Ctrl-C; in any other thread it is the application's own
        log.error("the application raised KeyboardInterrupt")
        channel.close_response()
        return Next.ABORT


def starved(channel: Channel) -> Next:
    """Nothing can be answered before more octets arrive, or none will."""
    try:
        if channel.connection.takes_continue():
            channel.send(CONTINUE)
        elif channel.gathered:
            channel.flush()
    except OSError:
        return Next.DROP
    if channel.unsent is not None or channel.gathered:
        return ROOM
    return Next.GOODBYE if channel.connection.state is State.CLOSED else INPUT


def refuse(channel: Channel, gateway: Gateway, error: HTTPError) -> Next:
    """Answer with an error, and take no further request."""
    channel.connection.close()
    channel.lingers = True
    request, channel.request = channel.request, None
    try:
        channel.send(gateway.reject(error, channel.environ, request))
    except OSError:
        return Next.DROP
    return ROOM if channel.unsent is not None or channel.gathered else Next.GOODBYE


def refuse_busy(channel: Channel, gateway: Gateway) -> Next:
    """Answer a request that has not been begun with 503, and take no further one."""
    request = channel.request
    error = HTTPError(HTTPStatus.SERVICE_UNAVAILABLE, "the server is busy: try again later")
    error.retry_after = 1
    error.to_head = request is not None and request.method == "HEAD"
    if request is not None and request.body is not None:
        request.body.close()
    return refuse(channel, gateway, error)

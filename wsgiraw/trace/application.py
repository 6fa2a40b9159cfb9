"""An application that tells what it is given and what it gives back. It changes nothing of that."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from wsgiraw.trace.excerpt import fields_shown, variables_shown
from wsgiraw.trace.exchange import CONVERSATION, Conversation

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["traced"]


def traced(application: "WSGIApplication") -> "WSGIApplication":
    """Return an application that does the same; what it returns is what the application has returned."""
    name = _name(application)

    def call(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        conversation: Conversation = environ.pop(CONVERSATION)
        exchange, secrets = conversation.current, conversation.secrets
        assert exchange is not None, "an application is called for a request"
        exchange.tell("environ", application=name, variables=variables_shown(environ, secrets=secrets))

        def announce(*given: Any) -> Callable[[bytes], object]:
            status, fields = (*given, "", ())[:2]
            exchange.tell("start_response", status=str(status), fields=fields_shown(fields, secrets=secrets))
            return start_response(*given)

        result = application(environ, announce)
        pieces = octets = None
        if isinstance(result, list | tuple):
            pieces, octets = len(result), sum(len(piece) for piece in result if isinstance(piece, bytes))
        exchange.tell("returned", result=_kind(type(result)), pieces=pieces, octets=octets)
        return result

    return call


def _name(application: object) -> str:
    if hasattr(application, "__qualname__"):
        return f"{getattr(application, '__module__', '')}.{application.__qualname__}"
    return _kind(type(application))


def _kind(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"

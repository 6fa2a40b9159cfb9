"""What can go wrong, by whose fault it is. Parsers and gateways raise; only strategies and the gateway handle."""

from http import HTTPStatus

__all__ = ["ApplicationError", "ApplicationNotFound", "ClientDisconnected", "ConfigError", "HTTPError"]


class HTTPError(Exception):
    """The client's fault: answered with `status` and `detail`, then the connection is closed.

    `detail` is one line of printable ASCII that says what was wrong and where; it never quotes what the client sent.
    """

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(f"{status.value} {status.phrase}: {detail}")
        self.status = status
        self.detail = detail
        self.to_head = False
        """The refused request is a HEAD: the reply has no body (RFC 9110 §9.3.2)."""
        self.retry_after: int | None = None
        """Seconds after which the client may try again (RFC 9110 §10.2.3); nothing was its fault then."""


class ApplicationError(Exception):
    """The application's fault: answered with 500 while nothing has been sent, else the connection is cut."""


class ClientDisconnected(Exception):
    """Nobody's fault: the client has gone, or stalled for longer than a timeout allows. Never logged as an error."""


class ConfigError(Exception):
    """The operator's fault: an option that does not exist or has a value out of range. The text says what to do."""


class ApplicationNotFound(ConfigError):
    """The operator's fault: the application specification names nothing that can be served."""

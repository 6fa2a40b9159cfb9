"""What a connection waits for. It decides nothing."""

from enum import Enum, auto

__all__ = ["State"]


class State(Enum):
    """What the connection waits for; each but the last two has a timeout of its own."""

    IDLE = auto()
    """The first octet of a request."""
    HEAD = auto()
    """The rest of a head."""
    BODY = auto()
    """The rest of a body."""
    RESPONDING = auto()
    """The end of the response; asking for the next request says that it has come."""
    CLOSED = auto()
    """Nothing: no further request will be read from this connection."""

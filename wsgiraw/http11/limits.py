"""What a client may send. Values come from the configuration; this only names them."""

from dataclasses import dataclass

from wsgiraw.http11.memory import BodyMemory

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one connection, in bytes unless said otherwise. Each is checked before the octets are kept."""

    head: int = 64 * 1024
    """A request line with its fields, through the empty line that ends them; beyond it 431."""
    request_line: int = 8 * 1024
    """The request line without its CRLF; beyond it 414 (RFC 9112 §3 asks for 8000 octets or more)."""
    fields: int = 100
    """The number of field lines; beyond it 431."""
    body: int = 1024 * 1024 * 1024
    """A body, decoded; beyond it 413."""
    chunk_line: int = 4096
    """A chunk-size line with its extensions, without its CRLF; beyond it 400."""
    trailer: int = 16 * 1024
    """The trailer section, through the empty line that ends it; beyond it 431."""
    spool: int = 512 * 1024
    """A body is held in memory up to this size, then in a file."""
    memory: BodyMemory | None = None
    """What the bodies of all connections may take together, shared by all; None sets no limit."""
    strict_host: bool = True
    """Refuse HTTP/1.1 requests without Host."""

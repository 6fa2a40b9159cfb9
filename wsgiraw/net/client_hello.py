"""The name that a client asks for in the first message of TLS (RFC 8446 §4.1.2, RFC 6066 §3), read before OpenSSL does.

Python's own way writes a traceback to standard error for a name that is not ASCII, which any client can send.
"""

__all__ = ["asked_name"]

_HANDSHAKE = 22
_CLIENT_HELLO = b"\1"
_MOST = 16 * 1024
"""Octets of a ClientHello; real ones have 200 to 2,000."""
_MOST_RECORDS = 64
"""Records that it may come in; real ones come in one or two. All are looked at again whenever an octet arrives."""


def asked_name(octets: bytes) -> str | None:
    """Return the name, in lower case, "" where there is none or this is no ClientHello; None: more must arrive."""
    message = _message(octets)
    if not message:
        return None if message is None else ""
    try:
        return _name(message)
    except IndexError:
        return ""  # OpenSSL will say what is wrong


def _message(octets: bytes) -> bytes | None:
    """Return the body of the message, which records may cut anywhere (RFC 8446 §5.1); b"" where it is another one."""
    message = b""
    for _ in range(_MOST_RECORDS):
        if len(octets) < 5:
            return None
        kind, length = octets[0], int.from_bytes(octets[3:5])
        if kind != _HANDSHAKE or not length:
            return b""
        message += octets[5 : 5 + length]
        octets = octets[5 + length :]
        if message[:1] not in (b"", _CLIENT_HELLO):
            return b""
        size = 4 + int.from_bytes(message[1:4])
        if size > _MOST:
            return b""
        if len(message) >= max(size, 4):
            return message[4:size]
    return None if len(octets) < 5 else b""


def _name(message: bytes) -> str:
    rest = message[34:]  # behind version and random
    for width in (1, 2, 1):  # session, ciphers, compression methods
        _, rest = _vector(rest, width)
    extensions, _ = _vector(rest, 2)
    while extensions:
        kind = extensions[:2]
        content, extensions = _vector(extensions[2:], 2)
        if kind == b"\0\0":  # server_name
            names, _ = _vector(content, 2)
            if names[0] == 0:  # host_name
                return _vector(names[1:], 2)[0].decode("latin-1").lower()
    return ""


def _vector(octets: bytes, width: int) -> tuple[bytes, bytes]:
    """Return a vector whose length has `width` octets (RFC 8446 §3.4), and what follows. Raises `IndexError`."""
    end = width + int.from_bytes(octets[:width])
    if len(octets) < end or not octets:
        raise IndexError
    return octets[width:end], octets[end:]

"""The alphabets and small languages of RFC 9110, 9112 and 3986, as tables and regular expressions. Nothing else."""

import re

__all__ = ["AUTHORITY", "CHUNK_EXTENSIONS", "CHUNK_SIZE", "HOST", "LINE_OCTETS", "TCHAR", "TOKEN", "VERSION"]

_TCHAR_PUNCTUATION = r"!#$%&'*+\-.^_`|~"

TOKEN = re.compile(rf"[{_TCHAR_PUNCTUATION}0-9A-Za-z]+")
"""token = 1*tchar (RFC 9110 §5.6.2): methods and field names."""

TCHAR = frozenset(octet for octet in range(128) if TOKEN.fullmatch(chr(octet)))
"""The octets a token may begin with."""

LINE_OCTETS = bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)])
"""Octets that may stand in a line of a head: SP, HTAB, VCHAR, obs-text (RFC 9110 §5.5). Deleting them from a
well-formed head leaves its line ends and nothing else."""

VERSION = re.compile(r"HTTP/([0-9])\.([0-9])")
"""HTTP-version (RFC 9112 §2.3): case-sensitive, one digit each."""

_REG_NAME = r"(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+"  # RFC 3986 §3.2.2, without the comma that joins lists
_IP_LITERAL = r"\[(?:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*|[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+)\]"

HOST = re.compile(rf"(?:{_REG_NAME}|{_IP_LITERAL})(?::[0-9]{{0,5}})?")
"""Host = uri-host [ ":" port ] (RFC 9110 §7.2), never empty (RFC 9110 §4.2.1) and never with user information."""

AUTHORITY = re.compile(rf"(?:{_REG_NAME}|{_IP_LITERAL}):[0-9]{{1,5}}")
"""authority-form (RFC 9112 §3.2.3): host and port, both required."""

CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")
"""chunk-size (RFC 9112 §7.1), bounded so that it cannot overflow anybody's integer."""

_TCHARS = rf"[{_TCHAR_PUNCTUATION}0-9A-Za-z]+".encode()
_QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'  # RFC 9110 §5.6.4

CHUNK_EXTENSIONS = re.compile(
    rb"(?:[ \t]*;[ \t]*" + _TCHARS + rb"(?:[ \t]*=[ \t]*(?:" + _TCHARS + rb"|" + _QUOTED + rb"))?)*"
)
"""chunk-ext (RFC 9112 §7.1.1), with the bad white space that recipients are told to accept."""

"""What a trace must not show: values of fields that prove who somebody is, wherever they appear.

Bodies and targets are shown as they are, but for lines in them that look like such a field.
"""

import re
from collections.abc import Iterable

__all__ = ["Mask", "is_secret", "masked"]

_SECRET = re.compile(r"authorization|cookie|token|secret|password|jwt|(?:api|auth|access)[-_]?key", re.IGNORECASE)
"""Part of the name of a field, or of its CGI meta-variable: Proxy-Authorization, Set-Cookie and X-CSRF-Token are among
them. Rather too much than too little: what is masked in vain can be asked for."""

_PARTS = re.compile(rb"[\r\n]|[^\r\n]+")

_LONGEST_NAME = 256
"""Octets without a colon after which a line is no field any more."""


def is_secret(name: str) -> bool:
    """Whether the value of a field with this name is not to be shown."""
    return bool(_SECRET.search(name))


def masked(value: str) -> str:
    """Return what is shown instead of a value."""
    return f"[masked, {len(value)} octets]"


class Mask:
    """Masks secrets in one direction of a connection, however its octets are cut."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Take what comes next for the beginning of a line."""
        self._begin_line()
        self._folding = False
        """The line before is masked, so one that begins with white space is, too."""
        self._line_ends = 0

    def _begin_line(self) -> None:
        self._begun = False
        self._secret = False
        self._name: bytes | None = b""
        """What has come of the line so far, None once it is known what it is."""

    def __call__(self, octets: bytes) -> bytes:
        """Return the octets that come next, with what is secret replaced."""
        return b"".join(self._shown(_PARTS.findall(octets)))

    def _shown(self, parts: Iterable[bytes]) -> Iterable[bytes]:
        for part in parts:
            if part == b"\n" or (part == b"\r" and not self._secret):  # a bare CR does not end a secret
                self._end_line(part)
                yield part
            elif part == b"\r":
                yield part
            else:
                yield from self._content(part)

    def _end_line(self, end: bytes) -> None:
        if self._begun:
            self._folding, self._line_ends = self._secret, 0
        self._line_ends += end == b"\n"
        if self._line_ends > 1:  # an empty line: the head ends here
            self._folding = False
        self._begin_line()

    def _content(self, part: bytes) -> Iterable[bytes]:
        if not self._begun:
            self._begun = True
            self._secret = self._folding and part[:1] in (b" ", b"\t")  # obs-fold, which is refused, but shown
        if not self._secret and self._name is not None:
            known = self._name + part
            name, colon, _ = known.partition(b":")
            if not colon:
                self._name = known if len(known) <= _LONGEST_NAME else None
            else:
                self._name = None
                if _is_field_name(name):
                    self._secret = True
                    value = part[len(name) + 1 - (len(known) - len(part)) :]
                    rest = value.lstrip(b" \t")
                    yield part[: len(part) - len(rest)]
                    part = rest
        yield masked(part.decode("latin-1")).encode() if self._secret and part else part


def _is_field_name(name: bytes) -> bool:
    """Whether this is the name of a secret field, rightly written or not, and no request line or prose."""
    text = name.decode("latin-1").strip(" \t")
    # Not \s: a control character, or an octet that is a space in latin-1, makes a field malformed, not harmless.
    return not re.search(r"[ \t]", text) and is_secret(text)

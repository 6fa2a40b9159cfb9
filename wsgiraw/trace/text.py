"""Events of a trace as lines for people: who, when, and what, `<` for octets in and `>` for octets out."""

from collections.abc import Iterator
from typing import Any

__all__ = ["rendered"]

_LONGEST = 240
"""Characters of a line; what is longer is cut."""

_SIGNS = {"received": "<", "sent": ">"}
_COLOURS = {"received": "36", "sent": "32", "request": "1", "queued": "33", "handed off": "33"}
_WRONG, _DIM, _RESET = "\x1b[31m", "\x1b[2m", "\x1b[0m"

Event = dict[str, Any]


def rendered(event: Event, *, colour: bool) -> str:
    """Return an event as lines, each with the process, the connection and the number of its request on it."""
    sign = _SIGNS.get(event["event"], "=")
    who = f"{event['pid']} {event['connection']}.{event['request']}"
    where = f"{event['thread']}, {event['state']}" if event["state"] else ""
    lines = [f"{who} {event['ms']:9.3f} ms {sign} {headline(event)}{f'  [{where}]' if where else ''}"]
    lines += [f"{who} {'':12} {sign}   {_cut(_escaped(line))}".rstrip() for line in _details(event)]
    if colour:
        begin = _WRONG if _is_wrong(event) else f"\x1b[{_COLOURS.get(event['event'], '0')}m"
        prefix = len(who) + 14
        lines = [f"{_DIM}{line[:prefix]}{_RESET}{begin}{line[prefix:]}{_RESET}" for line in lines]
    return "".join(f"{line}\n" for line in lines)


def headline(event: Event) -> str:
    """Return what happened, in one line."""
    return _escaped(_HEADLINES[event["event"]](event))


def _is_wrong(event: Event) -> bool:
    return event["event"] in ("failed", "refused") or (event["event"] == "done" and bool(event["failed"]))


def _request(event: Event) -> str:
    body = "no body" if event["body"] is None else f"body of {event['body']} octets"
    return f"request: {event['method']} {event['target']} {event['version']}, {body}, {_persistence(event)}"


def _persistence(event: Event) -> str:
    return "keep-alive" if event["keep_alive"] else "close"


def _returned(event: Event) -> str:
    if event["pieces"] is None:
        return f"returned: {event['result']}"
    return f"returned: {event['result']}, {_count(event['pieces'], 'piece')}, {_count(event['octets'], 'octet')}"


def _octets(event: Event) -> str:
    if event["octets"] == 0:
        return "the client has sent its last octet"
    of_file = f" of a file, from {event['offset']} on" if "offset" in event else ""
    return _count(event["octets"], "octet") + of_file


def _done(event: Event) -> str:
    how = "done" if event["complete"] else "cut off"
    status = event["status"] or "no response"
    stages = ", ".join(f"{name} {milliseconds:.3f}" for name, milliseconds in event["stages"].items())
    return f"{how}: {status}, {_count(event['octets'], 'octet')}, {_persistence(event)}; ms: {stages}"


_HEADLINES = {
    "received": _octets,
    "request": _request,
    "queued": lambda event: "queued: all threads are busy",
    "handed off": lambda event: "handed off: the call goes on where it is, and the loop on another thread",
    "environ": lambda event: f"environ: {event['application']} is called",
    "start_response": lambda event: f"start_response: {event['status']}",
    "returned": _returned,
    "failed": lambda event: f"failed: {event['error']}",
    "refused": lambda event: f"refused: {event['status']}, {event['detail']}",
    "sent": _octets,
    "done": _done,
}


def _details(event: Event) -> Iterator[str]:
    """Yield what is shown below a headline."""
    if "text" in event:
        yield from event["text"].splitlines()
        if "more" in event:
            yield f"[{_count(event['more'], 'more octet')}: {event['like']}]"
    elif event["event"] == "start_response":
        for name, value in event["fields"]:
            yield f"{name}: {value}"
    else:
        for name, value in (event.get("fields") or event.get("variables") or {}).items():
            yield f"{name} = {value}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _escaped(text: str) -> str:
    """Return text that does nothing to a terminal, whoever has written it."""
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode("ascii") for mark in text)


def _cut(line: str) -> str:
    more = len(line) - _LONGEST
    return line if more <= 0 else f"{line[:_LONGEST]}[{more} more]"

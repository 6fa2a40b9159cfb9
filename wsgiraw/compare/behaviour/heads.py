"""What heads can bring about: a response that is split, no body, a refusal, a client that waits to be asked for it."""

import re

from wsgiraw.compare.behaviour.application import INJECTED
from wsgiraw.compare.behaviour.conversation import Client, ask, post
from wsgiraw.compare.behaviour.subject import NoAnswer, Subject, Verdict

__all__ = ["bad_request", "expect_continue", "head_no_body", "response_splitting"]

_LINE = re.compile(rb"\n" + INJECTED.encode("ascii"))


def response_splitting(subject: Subject) -> Verdict:
    """A line end in the application's field or status does not begin another field (PEP 3333: none MUST be in them).

    An application that puts what visitors send into Location or a cookie would let them add fields and whole responses:
    set a cookie for others, poison a cache. PEP 3333, "The start_response() Callable", has servers check for that. A
    lone LF counts, for clients may take it for a line end (RFC 9112 §2.2).
    """
    places = {"field": "CR LF in a field", "line-feed": "LF in a field", "status": "CR LF in a status"}
    split, status = [], ""
    for query, place in places.items():
        with Client(subject) as client:
            client.send(ask(f"/split?{query}", "Connection: close"))
            client.closes()
            if _LINE.search(client.received):
                split.append(place)
            elif not status:
                status = client.received[9:12].decode("latin-1") or "closes"
    if split:
        return False, f"splits at {', '.join(split)}"
    return True, "200 without it" if status == "200" else status


def head_no_body(subject: Subject) -> Verdict:
    """The answer to HEAD has no body though the application yields one (RFC 9110 §9.3.2: the server MUST NOT send it).

    The client takes such octets for the next answer on that connection. Link checkers and uptime probes use HEAD.
    """
    with Client(subject) as client:
        client.send(ask("/path", "Connection: close", method="HEAD"))
        answer = client.answer("HEAD")
        client.closes()
        if client.received:
            return False, f"{len(client.received)} octets of body"
    return answer.status == 200, str(answer.status) if answer.status != 200 else "no body"


def bad_request(subject: Subject) -> Verdict:
    """What is no request is answered with 400 (RFC 9112 §3: SHOULD respond with 400), by a status line at that.

    Silence leaves the client waiting, and whoever looks for the fault without a word of what is wrong. The first line
    ends in a version: without one, very old servers answer as in HTTP/0.9, which had no status.
    """
    with Client(subject) as client:
        client.send(ask("is no request", method="this"))
        answer = client.answer()
    return 400 <= answer.status < 500, str(answer.status)


def expect_continue(subject: Subject) -> Verdict:
    """A client that waits for 100 (Continue) before it sends its body is told to, or refused (RFC 9110 §10.1.1: MUST).

    curl waits a second in vain before each large upload otherwise, other clients for longer.
    """
    with Client(subject) as client:
        client.send(post("/body", b"", "Content-Length: 5", "Expect: 100-continue"))
        told = client.hear(lambda octets: b"\r\n\r\n" in octets)
        if told and not client.received.startswith((b"HTTP/1.1 100", b"HTTP/1.0 100")):
            status = client.answer().status
            return 400 <= status < 500, f"{status} instead"
        if not told:
            raise NoAnswer(f"no 100 within {subject.patience:g} s")
        client.send(b"hello")
        try:
            answer = client.answer()
        except NoAnswer as error:
            return False, f"100, then {error}"
    whole = answer.body == b"hello"
    return whole, "100" if whole else f"100, then {answer.status} and {len(answer.body)} of 5 octets"

"""Where a request's and a response's body ends: whoever is told wrong takes a part of one message for another."""

from wsgiraw.compare.behaviour.conversation import Answer, Client, ask, post
from wsgiraw.compare.behaviour.subject import NoAnswer, Subject, Verdict

__all__ = ["chunked_body", "duplicate_length", "length_and_chunked", "short_body"]

_CHUNKS = b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"


def duplicate_length(subject: Subject) -> Verdict:
    """Two Content-Length fields that differ are refused (RFC 9112 §6.3: the server MUST respond with 400 and close).

    If a proxy believes the one and the server the other, the rest of the body becomes a request that the proxy has
    never seen: an attacker's, which gets past its rules or takes the next visitor's answer (request smuggling).
    """
    with Client(subject) as client:
        client.send(post("/body", b"hello!", "Content-Length: 5", "Content-Length: 6"))
        answer = client.answer()
    return _refused(answer), _taken(answer)


def length_and_chunked(subject: Subject) -> Verdict:
    """Content-Length beside Transfer-Encoding is refused; or read by the chunks, then the connection closed.

    RFC 9112 §6.1: it may be processed by Transfer-Encoding alone, and regardless the server MUST close. Otherwise
    requests can be smuggled, as with two lengths, or the application gets a part of the body for the whole.
    """
    with Client(subject) as client:
        client.send(post("/body", _CHUNKS, "Content-Length: 4", "Transfer-Encoding: chunked"))
        answer = client.answer()
        if answer.status != 200:
            return _refused(answer), _taken(answer)
        if answer.body == b"abcd":  # the chunks are taken apart, and CONTENT_LENGTH is passed on all the same
            return False, "200, by the chunks, cut at the length"
        if answer.body != b"abcdefg":
            return False, f"{_taken(answer)}, by the length"
        closes = client.closes()
    return closes, f"200, by the chunks, {'closes' if closes else 'keeps the connection'}"


def chunked_body(subject: Subject) -> Verdict:
    """A chunked body reaches the application whole (RFC 9112 §7.1: a recipient MUST be able to parse it).

    Clients that do not know the length beforehand send so: curl from a pipe, phones, proxies that stream. Otherwise
    their upload arrives empty or with the chunk sizes in it. Unless the server sets CONTENT_LENGTH or
    `wsgi.input_terminated`, frameworks read nothing; that is said beside, for PEP 3333 asks for neither.
    """
    with Client(subject) as client:
        client.send(post("/body", _CHUNKS, "Transfer-Encoding: chunked"))
        answer = client.answer()
    if answer.status != 200:
        return False, f"{answer.status}"
    if answer.body != b"abcdefg":
        return False, f"{len(answer.body)} of 7 octets" if answer.body in b"abcdefg" else f"{answer.body[:12]!r}..."
    return True, "whole" if answer.fields.get("x-end-known") == "yes" else "whole, but frameworks cannot tell"


def short_body(subject: Subject) -> Verdict:
    """After a body shorter than its Content-Length the connection ends, so that the client can tell (RFC 9112 §8).

    PEP 3333, "Handling the Content-Length Header", has the server close it. Otherwise a browser waits for the rest
    until somebody's timeout; and takes the next answer for it, so that a visitor may see, and a cache keep, what was
    meant for another request.
    """
    with Client(subject) as client:
        client.send(ask("/short"))
        try:
            answer = client.answer()
        except NoAnswer:
            if client.ended:
                return True, "closes"
            if b"short" not in client.received:
                raise
        else:  # a server that noticed before it sent the head may have answered otherwise, or corrected the length
            return True, "closes" if not answer.whole else f"{answer.status}, of {len(answer.body)} octets"
        client.send(ask("/next"))
        glued = client.hear(lambda octets: b"/next" in octets)
    return False, "takes the next answer for the rest" if glued else "keeps the connection open"


def _refused(answer: Answer) -> bool:
    return 400 <= answer.status < 500 or answer.status == 501


def _taken(answer: Answer) -> str:
    if answer.status != 200:
        return str(answer.status)
    length = answer.fields.get("x-content-length", "")
    if length and not length.isdecimal():
        return f"200, passes {length!r} on"
    return f"200, reads {len(answer.body)} octets"

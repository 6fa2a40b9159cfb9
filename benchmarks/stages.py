"""The stages of a plain request as little programs, for budget.py to count their instructions. It counts nothing.

What is counted is one turn of a loop, less that of an empty loop. The octets are those of compare's visitors: the two
fields that differ from visitor to visitor differ from turn to turn.
"""

from wsgiraw.compare.requests import Wanted
from wsgiraw.compare.servers.command_lines import HOST

OCTETS = Wanted("GET", "/").variants(HOST)

SETUP = """
import sys
from benchmarks.plain import FIELDS, app
from wsgiraw.clock import Clock
from wsgiraw.http11 import Connection, Limits
from wsgiraw.http11.head import split_head
from wsgiraw.http11.request import Request
from wsgiraw.http11.response import response_head
from wsgiraw.wsgi import Gateway
from wsgiraw.wsgi.environ import request_environ

def ignore(*arguments):
    pass

requests = [Request(*split_head(octets[:-4])) for octets in OCTETS]
heads = [octets[:-4] for octets in OCTETS]
parts = [split_head(head) for head in heads]
connection = Connection(Limits(), ignore)
gateway = Gateway(app, limits=Limits(), clock=Clock(), software="wsgiraw", errors=sys.stderr)
environ = gateway.connection_environ(("127.0.0.1", "8000"), ("127.0.0.1", "50000"))
date, server = gateway.clock.http_date, gateway.server_field

def run(turns):
    for turn in range(turns):
        number = turn % len(OCTETS)
        request = requests[number]
        STAGE

run(int(sys.argv[1]))
"""

EMPTY = "pass"
CONNECTION = "connection.receive(OCTETS[number]); connection.next_request()"
RESPOND = "for _ in gateway.respond(request, environ, ignore): pass"
STAGES = {
    "split_head": "split_head(heads[number])",
    "Request": "Request(*parts[number])",
    "Connection: receive, next_request, with both": CONNECTION,
    "request_environ": "request_environ(environ, request)",
    "the application": "app(environ, ignore)",
    "response_head": 'response_head(request, "200 OK", FIELDS, None, date, server)',
    "Gateway.respond, with these three": RESPOND,
}
"""Title → what a turn does."""


def program(stage: str) -> str:
    """The text of a program whose first argument is how many turns it does."""
    return f"OCTETS = {OCTETS!r}\n{SETUP.replace('STAGE', stage)}"

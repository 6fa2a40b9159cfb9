"""What servers do with what clients do, looked at by real sockets in seconds. Our own modules, in order:

* `application` is what the servers run meanwhile; `bell` knows when it has been called, and holds it.
* `subject` is the server that is looked at; `conversation` talks with it, octet by octet.
* `framing`, `heads`, `connections`, `waiting` and `stopping` have the checks, each a function.
* `checks` lists them and makes them all.
"""

from wsgiraw.compare.behaviour.checks import APPLICATION, CHECKS, PATIENCE, Check, check
from wsgiraw.compare.behaviour.subject import Running

__all__ = ["APPLICATION", "CHECKS", "PATIENCE", "Check", "Running", "check"]

"""`wsgiraw demo`: the programs of which the server grew, one short file each, to be read from top to bottom.

`command` lists and starts them, and opens the socket that they accept from; what they have in common besides, each has
from the chapter before it. docs/from-tutorial-to-wsgiraw.md goes through them in order. None of them is for the
internet: each says what it does not do, and that is what the rest of the package is for.
"""

__all__: list[str] = []

"""`--trace` and `wsgiraw trace`: what a request does, shown while it does it. Nothing of this is on the way of others.

The composition root puts it in: it gives the strategy a `Connection` that tells what comes in, a `Gateway` that tells
what goes out, an application that tells what it is given, and looks on at what the loop gives away. Without `--trace`
none of this is imported, and the plain classes are used: no request is ever asked whether it is traced.

From octets to a line: `wire`, `gateway`, `application` and `tracer` notice; `exchange` keeps the time; `secrets` masks;
`excerpt` shortens; `text` renders; `output` writes.
"""

__all__: list[str] = []

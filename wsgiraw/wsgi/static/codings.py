"""Content codings that a client accepts (RFC 9110 §12.5.3), and how files that are ready in them are named."""

import re
from functools import lru_cache

__all__ = ["IDENTITY", "SIBLINGS", "acceptable"]

IDENTITY = ""

SIBLINGS = {"br": b".br", "zstd": b".zst", "gzip": b".gz"}
"""Content coding → what the name of a file that has it ends with; as a rule the smallest first."""

_ELEMENT = re.compile(
    r"[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?[ \t]*"
)  # no white space beside other white space: to divide a long run of it among the two would take quadratic time


@lru_cache(256)
def acceptable(accepted: str | None) -> tuple[str, ...]:
    """Return the codings that an Accept-Encoding allows, the best first, `IDENTITY` for none.

    Empty where it excludes all, the plain file too. Without the field, and where it is malformed, only the plain file
    is sent: any coding would be allowed without it, but who does not say so most often cannot decode it.
    """
    if accepted is None:
        return (IDENTITY,)
    weights: dict[str, float] = {}
    for element in accepted.split(","):
        if element.strip(" \t"):
            match = _ELEMENT.fullmatch(element)
            if match is None:
                return (IDENTITY,)
            name = match[1].lower()
            weights["gzip" if name == "x-gzip" else name] = float(match[2] or 1)  # RFC 9110 §8.4.1.3
    others = weights.get("*", 0.0)
    # RFC 9110 §12.5.3: acceptable unless it is excluded, by name or by *; what is asked for by name comes first.
    plain = weights.get("identity", 0.0 if "*" in weights and not others else 1e-6)
    offered = [(weights.get(coding, others), coding) for coding in SIBLINGS] + [(plain, IDENTITY)]
    offered.sort(key=lambda one: -one[0])
    return tuple(coding for weight, coding in offered if weight)

"""The calculator's arithmetic: operands and operations as text in, results as text out, one sentence per fault.

It knows decimal numbers and the JSON document of the calculation contract. It knows nothing of the web: no status, no
header, no environ, no framework.

Numbers
    An operand is ASCII: an optional sign, digits with an optional point, and an optional exponent (`2`, `-3.50`,
    `.5`, `6e23`). It has at most 1,000 characters, and its first digit stands for a power of ten from -1000 to 1000.
    Sums, differences, products and whole quotients are exact, whatever their length; any other quotient is rounded to
    28 significant digits, ties to even. Zero has no sign, and no result ends in zeros after the point.

Notation of results (always a valid JSON number)
    Plain (`0.3`, `-120`, `1000000000000`) while that adds at most 50 zeros behind the significant digits and at most 10
    in front of them (the one before the point included); beyond that scientific, with a lower-case `e`
    and a signed exponent (`1e+400`, `2.5e-11`).
"""

import json
import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation, Overflow, Subnormal

__all__ = ["DOCUMENT_BYTES", "OPERATIONS", "CalculationError", "calculate", "calculate_document"]

OPERAND_CHARACTERS = 1_000
DOCUMENT_BYTES = 65_536  # two operands need a thirtieth of it
DOCUMENT_CONTAINERS = 32  # braces and brackets: far fewer than the recursion limit, whatever calls us
QUOTIENT_DIGITS = 28
TRAILING_ZEROS = 50
LEADING_ZEROS = 10

# Contexts are shared by all threads: their settings never change, and their flags, which do, are never read.
OPERAND = Context(
    prec=OPERAND_CHARACTERS, Emin=-1000, Emax=1000, traps=[Inexact, InvalidOperation, Overflow, Subnormal]
)
# The longest result, the sum of 1e1000 and a number of 1,000 digits that begins at 1e-1000, has 3,000 digits.
EXACT = Context(prec=4_000, traps=[Inexact, InvalidOperation])
QUOTIENT = Context(prec=QUOTIENT_DIGITS, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, Overflow])

# [0-9], since \d would let Arabic-Indic digits in; possessive, so that a long operand is read once.
is_number = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?").fullmatch


class CalculationError(Exception):
    """The caller's fault. Its text is one ASCII sentence for people, and never quotes what the caller sent."""


def divide(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Divide exactly where the quotient is whole, else to 28 significant digits."""
    if not divisor:
        raise CalculationError("Division by zero is undefined.")
    if not EXACT.remainder(dividend, divisor):
        return EXACT.divide_int(dividend, divisor)
    return QUOTIENT.divide(dividend, divisor)


OPERATIONS: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "add": EXACT.add,
    "subtract": EXACT.subtract,
    "multiply": EXACT.multiply,
    "divide": divide,
}


def calculate(operation: str, first: str, second: str) -> str:
    """Apply one of OPERATIONS to two operands: `calculate("add", "0.1", "0.2") == "0.3"`.

    Raises CalculationError for a bad operand or a division by zero, KeyError for an operation that does not exist.
    """
    operate = OPERATIONS[operation]
    return notation(operate(operand(first, "The first operand"), operand(second, "The second operand")))


def operand(text: str, name: str) -> Decimal:
    """Read one operand; `name` begins the sentence that says what is wrong with it."""
    if not is_number(text):
        raise CalculationError(f"{name} is not a decimal number such as 2, -3.5 or 6e23.")
    if len(text) > OPERAND_CHARACTERS:
        raise CalculationError(f"{name} is over {OPERAND_CHARACTERS:,} characters.")
    try:
        value = OPERAND.create_decimal(text)
    except (Inexact, InvalidOperation, Overflow, Subnormal):
        raise CalculationError(f"{name} is out of range: its power of ten must be from -1000 to 1000.") from None
    return value or Decimal()  # a zero may come with a sign and an exponent


def notation(value: Decimal) -> str:
    """Write a result as the module docstring defines."""
    if not value:
        return "0"
    reduced = EXACT.normalize(value)
    adjusted = reduced.adjusted()
    trailing_zeros = adjusted + 1 - len(reduced.as_tuple().digits)
    if trailing_zeros <= TRAILING_ZEROS and -adjusted <= LEADING_ZEROS:
        return format(reduced, "f")
    return format(reduced, "e")


class NumberText(str):
    """A JSON number as it was written: neither a JSON string, nor rounded to a binary float."""

    __slots__ = ()


def calculate_document(document: bytes) -> str:
    """Calculate what a JSON document asks for: `{"op": "add", "arg1": 2, "arg2": 4}` gives `6`.

    The document is UTF-8 (RFC 8259 §8.1). Keys beyond the three are ignored; a key that occurs twice is refused, since
    readers disagree about which one counts. Raises CalculationError.
    """
    asked = json_object(document)
    for key in ("op", "arg1", "arg2"):
        if key not in asked:
            raise CalculationError(f'The key "{key}" is missing.')
    operation = asked["op"]
    if type(operation) is not str:
        raise CalculationError('"op" must be a JSON string.')
    if operation not in OPERATIONS:
        raise CalculationError(f'"op" must be one of {", ".join(OPERATIONS)}.')
    return notation(OPERATIONS[operation](json_number(asked, "arg1"), json_number(asked, "arg2")))


def json_number(asked: dict[str, object], key: str) -> Decimal:
    text = asked[key]
    if not isinstance(text, NumberText):
        raise CalculationError(f'"{key}" must be a JSON number.')
    return operand(text, f'"{key}"')


def json_object(document: bytes) -> dict[str, object]:
    if not document:
        raise CalculationError("The body is empty where a JSON object is expected.")
    try:
        text = document.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CalculationError(f"The body is not UTF-8 (at byte {error.start + 1}).") from None
    if text.count("{") + text.count("[") > DOCUMENT_CONTAINERS:
        raise CalculationError(f"The body has over {DOCUMENT_CONTAINERS} objects and arrays.")
    try:
        value = json.loads(
            text,
            parse_int=NumberText,
            parse_float=NumberText,
            parse_constant=refuse_constant,
            object_pairs_hook=unique_keys,
        )
    except json.JSONDecodeError as error:
        raise CalculationError(f"The body is not JSON (line {error.lineno}, column {error.colno}).") from None
    if not isinstance(value, dict):
        raise CalculationError("The body must be a JSON object.")
    return value


def refuse_constant(name: str) -> None:
    """Refuse what Python's reader takes and RFC 8259 §6 does not: NaN, Infinity and -Infinity."""
    raise CalculationError(f"The body is not JSON: {name} is not a JSON number.")


def unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        raise CalculationError("A key of the JSON object occurs twice.")
    return unique

"""The calculator's arithmetic against Python's exact fractions, and its notation."""

import json
import threading
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.calculator import CalculationError, calculate, calculate_document

decimals = st.decimals(allow_nan=False, allow_infinity=False).filter(lambda value: -300 <= value.adjusted() <= 300)
EXACT = {
    "add": Fraction.__add__,
    "subtract": Fraction.__sub__,
    "multiply": Fraction.__mul__,
}


@given(st.sampled_from(sorted(EXACT)), decimals, decimals)
def test_exact_operations(operation: str, first: Decimal, second: Decimal) -> None:
    """Sums, differences and products lose nothing."""
    result = calculate(operation, str(first), str(second))
    assert Fraction(Decimal(result)) == EXACT[operation](Fraction(first), Fraction(second))


@given(decimals, decimals.filter(bool))
def test_quotient(first: Decimal, second: Decimal) -> None:
    """A whole quotient is exact, any other is right to 28 significant digits."""
    result = Fraction(Decimal(calculate("divide", str(first), str(second))))
    quotient = Fraction(first) / Fraction(second)
    if quotient.denominator == 1:
        assert result == quotient
    else:
        assert abs(result - quotient) <= abs(quotient) * Fraction(1, 2 * 10**27)


@given(st.sampled_from(sorted(EXACT)), decimals, decimals)
def test_result_is_a_json_number_and_an_operand(operation: str, first: Decimal, second: Decimal) -> None:
    """Any result is valid JSON, and can be calculated with again without a change."""
    result = calculate(operation, str(first), str(second))
    assert json.loads(result, parse_int=Decimal, parse_float=Decimal) == Decimal(result)
    assert len(result) > 1000 or calculate("add", result, "0") == result
    assert "." not in result or not result.partition("e")[0].endswith("0")


def sentence(call: Callable[..., str], *arguments: object) -> str | None:
    """Return what the calculator says against the arguments, None if it takes them."""
    try:
        call(*arguments)
    except CalculationError as error:
        return str(error)
    return None


@given(st.text())
def test_any_text_is_an_operand_or_a_fault(text: str) -> None:
    """No text raises anything but CalculationError, and what is taken is ASCII."""
    said = sentence(calculate, "add", text, "0")
    assert text.isascii() if said is None else said.isascii()


@given(st.binary() | st.text().map(str.encode) | st.text('{}[]":,0eop.-addrg12 ').map(str.encode))
def test_any_octets_are_a_document_or_a_fault(document: bytes) -> None:
    """No document raises anything but CalculationError, whose sentence is one printable line."""
    said = sentence(calculate_document, document)
    assert said is None or (said.isascii() and said.isprintable())


def test_unknown_operation() -> None:
    with pytest.raises(KeyError):
        calculate("power", "2", "3")


def test_threads_share_the_contexts() -> None:
    """Threads that fail and threads that succeed at the same time do not see each other's faults."""
    wrong: list[str] = []
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for turn in range(500):
            if calculate("add", f"{number}.5", str(turn)) != f"{number + turn}.5":
                wrong.append(f"{number}.5 + {turn}")
            if calculate("divide", "1", "3") != "0." + "3" * 28:
                wrong.append("1 / 3")
            with pytest.raises(CalculationError, match="out of range"):
                calculate("add", "1e1001", "1")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong

"""Arithmetic on numbers that are known while compiling (spec, "Classical instructions"), as C99 has it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from reader.compiler.conversions import with_article
from reader.compiler.values import FINE, Exact, Type, Value, round_float, wrap
from reader.errors import fault, invalid

if TYPE_CHECKING:
    from reader.compiler.machine import Machine


def compare(op: str, a: Any, b: Any) -> bool:  # noqa: ANN401 - numbers of any kind
    """Return a comparison of known numbers, floats as the floats that they are."""
    if type(a) is Exact or type(b) is Exact:
        a, b = float(a), float(b)
    if op == "==":
        return bool(a == b)
    if op == "!=":
        return bool(a != b)
    if op == "<":
        return bool(a < b)
    if op == ">":
        return bool(a > b)
    return bool(a <= b) if op == "<=" else bool(a >= b)


def whole_number(m: Machine, op: str, kind: Type, a: int, b: int, at: int) -> int:  # noqa: PLR0913 an operator and where it stands
    """Return integer arithmetic on known numbers: C99's truncating division, modulo the width.

    What does not fit an int is noted: in C99 it has no meaning, while a uint begins again at 0.
    """
    if op == "+":
        result = a + b
    elif op == "-":
        result = a - b
    elif op == "*":
        result = a * b
    elif op == "**":
        if b < 0:
            fault("An integer cannot have a negative exponent.", at, "Write the base as a float: 2.0 ** -1.")
        # Beyond two widths of bits it is as large as that for all that matters here.
        large = abs(a) > 1 and (abs(a).bit_length() - 1) * b > 2 * kind.width
        result = (1 << 2 * kind.width) + pow(a, b, 1 << kind.width) if large else a**b
    else:
        if b == 0:
            fault("This divides by zero.", at)
        quotient = abs(a) // abs(b)
        if (a < 0) != (b < 0):
            quotient = -quotient
        result = quotient if op == "/" else a - b * quotient
    wrapped = wrap(kind.kind, kind.width, result)
    if wrapped != result and kind.kind == "int":
        m.notes.add_wrapped(f"{a} {op} {b}", kind, wrapped, at)
    return wrapped


def real_number(m: Machine, op: str, kind: Type, a: Any, b: Any, at: int) -> Value:  # noqa: ANN401, C901, PLR0913 - float or complex
    """Return floating-point arithmetic on known numbers."""
    try:
        if op == "+":
            result = a + b
        elif op == "-":
            result = a - b
        elif op == "*":
            result = a * b
        elif op == "/":
            result = a / b
        elif op == "**":
            result = a**b
            if isinstance(result, complex) and kind.kind == "float":
                fault(
                    "A power of a negative number with this exponent is not real.",
                    at,
                    "Write the base as a complex number.",
                )
        elif op == "%" and kind.kind == "float":
            result = math.fmod(a, b)
        else:
            invalid(f"'{op}' does not apply to {with_article(kind)}.", at)
    except ZeroDivisionError:
        fault("This divides by zero.", at)
    except (OverflowError, ValueError):
        fault("This divides by zero." if op == "%" else "The result is too large for a float.", at)
    if kind.kind != "float":
        return Value(kind, result)
    if not -FINE < result < FINE or not -FINE < a < FINE or not -FINE < b < FINE:
        m.large = True
    return Value(kind, round_float(kind.width, result))

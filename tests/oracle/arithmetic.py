"""Operators and built-in functions on classical values, after "Classical instructions" of the OpenQASM 3 specification.

Integers of different types meet as in C99, except that nothing is promoted to a wider type first: `uint[4] + uint[4]`
is a `uint[4]` and wraps at 16. Integer literals are machine integers. Signed overflow wraps in two's complement.
"""

from __future__ import annotations

import cmath
import math
import operator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from oracle.values import (
    BIT,
    COMPLEX,
    DURATION,
    FLOAT,
    INT,
    UINT,
    OracleError,
    Scalar,
    ScalarType,
    cast_scalar,
    number,
    truth,
    wrap,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_BITWISE: dict[str, Callable[[int, int], int]] = {"&": operator.and_, "|": operator.or_, "^": operator.xor}


def binary(symbol: str, left: Scalar, right: Scalar) -> Scalar:
    """Return `left symbol right`; `&&` and `||` are the caller's, who need not evaluate both sides."""
    if symbol in _COMPARISONS:
        return _compare(symbol, left, right)
    if symbol in _BITWISE:
        return _bitwise(symbol, left, right)
    if symbol in ("<<", ">>"):
        return _shift(symbol, left, right)
    return _arithmetic(symbol, left, right)


def unary(symbol: str, value: Scalar) -> Scalar:
    """Return `!value`, `~value` or `-value`."""
    if symbol == "!":
        return truth(not value.truth)
    if symbol == "~":
        return wrap(~value.pattern, value.type)
    if value.type.kind in ("float", "complex", "duration"):
        return Scalar(value.type, -value.payload)
    if value.type.is_truth:
        return wrap(-value.payload, INT)
    if value.type.is_register:
        raise OracleError("a register of bits has no negative")
    return wrap(-value.payload, value.type)


def _common_integer(left: ScalarType, right: ScalarType) -> ScalarType:
    """Return the type in which two integers meet: the wider; of the same width, the unsigned one."""
    if left.bits == right.bits:
        return left if left.kind == "uint" else right
    return left if left.bits > right.bits else right


def _as_integer(value: Scalar) -> Scalar:
    """Read a single bit or a bool as 0 or 1, and a register as an unsigned integer of its width."""
    if value.type.is_truth:
        return wrap(value.payload, INT)
    if value.type.is_register:
        return wrap(value.payload, ScalarType("uint", value.type.bits))
    return value


def _meet(left: Scalar, right: Scalar) -> tuple[Scalar, Scalar]:
    """Return both operands converted to the type in which they meet."""
    kinds = {left.type.kind, right.type.kind}
    if "duration" in kinds:
        if kinds != {"duration"}:
            raise OracleError("a duration meets only a duration here")
        return left, right
    if "complex" in kinds:
        return cast_scalar(left, COMPLEX), cast_scalar(right, COMPLEX)
    if "angle" in kinds:
        target = left.type if left.type.kind == "angle" else right.type
        if kinds == {"angle"} and left.type != right.type:
            raise OracleError("angles of different widths need a cast")
        return cast_scalar(left, target), cast_scalar(right, target)
    if "float" in kinds:
        width = max(value.type.width or 0 for value in (left, right) if value.type.kind == "float")
        target = ScalarType("float", width)
        return cast_scalar(left, target), cast_scalar(right, target)
    truths = left.type.is_truth, right.type.is_truth
    left, right = _as_integer(left), _as_integer(right)
    # A single bit or a bool is the least of the types and takes that of what it meets; two of them meet as numbers.
    target = (
        _common_integer(left.type, right.type) if truths[0] == truths[1] else right.type if truths[0] else left.type
    )
    return cast_scalar(left, target), cast_scalar(right, target)


def _compare(symbol: str, left: Scalar, right: Scalar) -> Scalar:
    if left.type.is_register and right.type.is_register and left.type != right.type:
        raise OracleError("registers of different widths cannot be compared")
    left, right = _meet(left, right)
    return truth(_COMPARISONS[symbol](left.payload, right.payload))


def _bitwise(symbol: str, left: Scalar, right: Scalar) -> Scalar:
    if left.type.is_truth and right.type.is_truth:
        return Scalar(BIT, _BITWISE[symbol](left.payload, right.payload))
    if {left.type.kind, right.type.kind} & {"float", "complex", "duration"}:
        raise OracleError(f"{symbol} works on bits")
    if left.type.is_register or right.type.is_register:
        return _bitwise_registers(symbol, left, right)
    if (left.type.kind == "angle") != (right.type.kind == "angle"):
        raise OracleError(f"{symbol} needs two angles")
    left, right = _meet(left, right)
    return wrap(_BITWISE[symbol](left.pattern, right.pattern), left.type)


def _bitwise_registers(symbol: str, left: Scalar, right: Scalar) -> Scalar:
    """Combine registers of one width; an integer beside a register stands for the register with those bits."""
    target = left.type if left.type.is_register else right.type
    if left.type.is_register and right.type.is_register and left.type != right.type:
        raise OracleError(f"{symbol} needs registers of the same width")
    left, right = cast_scalar(left, target), cast_scalar(right, target)
    return wrap(_BITWISE[symbol](left.pattern, right.pattern), target)


def _shift(symbol: str, left: Scalar, right: Scalar) -> Scalar:
    """Shift bits off the end, zeros coming in; a signed integer keeps its sign when shifted right."""
    distance = right.integer
    if distance < 0:
        raise OracleError("a shift needs a distance of at least zero")
    if symbol == "<<":
        return wrap(left.pattern << distance, left.type)
    return wrap((left.payload if left.type.kind == "int" else left.pattern) >> distance, left.type)


def _arithmetic(symbol: str, left: Scalar, right: Scalar) -> Scalar:
    kinds = {left.type.kind, right.type.kind}
    if "duration" in kinds:
        return _durations(symbol, left, right)
    if "angle" in kinds and symbol in ("*", "/", "%", "**"):
        return _scale_angle(symbol, left, right)
    left, right = _meet(left, right)
    if left.type.kind in ("float", "complex"):
        return _reals(symbol, left, right)
    return wrap(_integers(symbol, left.payload, right.payload), left.type)


def _integers(symbol: str, left: int, right: int) -> int:
    """Work on integers; `/` cuts off towards zero and `%` has the sign of its left side, as in C99."""
    if symbol in ("/", "%"):
        if right == 0:
            raise OracleError("division by zero")
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return quotient if symbol == "/" else left - quotient * right
    if symbol == "**":
        if right < 0:
            raise OracleError("an integer has no negative integer power")
        return int(left**right)
    return int({"+": operator.add, "-": operator.sub, "*": operator.mul}[symbol](left, right))


def _reals(symbol: str, left: Scalar, right: Scalar) -> Scalar:
    work: dict[str, Callable[[Any, Any], Any]] = {
        "+": operator.add,
        "-": operator.sub,
        "*": operator.mul,
        "/": operator.truediv,
        "%": math.fmod,
        "**": operator.pow,
    }
    try:
        result = work[symbol](left.payload, right.payload)
    except (ZeroDivisionError, OverflowError, ValueError) as error:
        raise OracleError(f"{left.payload} {symbol} {right.payload} has no value") from error
    if isinstance(result, complex) and left.type.kind == "float":
        raise OracleError(f"{left.payload} {symbol} {right.payload} is not real")
    return cast_scalar(Scalar(COMPLEX if isinstance(result, complex) else FLOAT, result), left.type)


def _scale_angle(symbol: str, left: Scalar, right: Scalar) -> Scalar:
    """Scale an angle by an integer, or divide it by an angle: as if both were unsigned integers of its width."""
    if symbol == "*" and left.type.kind != "angle":
        left, right = right, left
    if left.type.kind != "angle" or symbol not in ("*", "/"):
        raise OracleError(f"{symbol} has no meaning for these angles")
    if right.type.kind == "angle":
        if symbol == "*" or right.type != left.type:
            raise OracleError("angles of one width can be divided, not multiplied")
        return wrap(_integers("/", left.payload, right.payload), ScalarType("uint", left.type.bits))
    if right.type.kind == "float":
        raise OracleError("an angle is scaled by an integer")
    return wrap(_integers(symbol, left.payload, right.integer), left.type)


def _durations(symbol: str, left: Scalar, right: Scalar) -> Scalar:
    """Work on exact fractions of a second; a float factor is the decimal that Python prints for it."""
    both = left.type.kind == right.type.kind
    meant = {("+", True), ("-", True), ("/", True), ("*", False), ("/", False)}
    if (symbol, both) not in meant or (symbol == "/" and left.type.kind != "duration"):
        raise OracleError(f"{symbol} has no meaning for these durations")
    work: dict[str, Callable[[Any, Any], Any]] = {
        "+": operator.add,
        "-": operator.sub,
        "*": operator.mul,
        "/": operator.truediv,
    }
    try:
        result = work[symbol](*(Fraction(str(side.payload)) for side in (left, right)))
    except ZeroDivisionError as error:
        raise OracleError("division by zero") from error
    return Scalar(FLOAT, float(result)) if both and symbol == "/" else Scalar(DURATION, result)


def call(name: str, arguments: list[Scalar]) -> Scalar:
    """Return the value of a built-in function."""
    if name in _REAL_FUNCTIONS and len(arguments) == 1:
        return _call_real(name, arguments[0])
    if name == "popcount" and len(arguments) == 1:
        return wrap(arguments[0].pattern.bit_count(), UINT)
    if name in ("rotl", "rotr") and len(arguments) == 2:
        return _rotate(arguments[0], arguments[1].integer * (1 if name == "rotl" else -1))
    if name == "mod" and len(arguments) == 2:
        return _arithmetic("%", *arguments)
    if name in ("real", "imag") and len(arguments) == 1:
        return number(getattr(cast_scalar(arguments[0], COMPLEX).payload, name))
    raise OracleError(f"{name} with {len(arguments)} arguments is not a function")


_REAL_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "arccos": math.acos,
    "arcsin": math.asin,
    "arctan": math.atan,
    "ceiling": math.ceil,
    "cos": math.cos,
    "exp": math.exp,
    "floor": math.floor,
    "log": math.log,
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tan": math.tan,
}
_COMPLEX_FUNCTIONS: dict[str, Callable[[complex], complex]] = {"exp": cmath.exp, "sqrt": cmath.sqrt}


def _call_real(name: str, argument: Scalar) -> Scalar:
    if argument.type.kind == "complex" and name in _COMPLEX_FUNCTIONS:
        return Scalar(COMPLEX, _COMPLEX_FUNCTIONS[name](argument.payload))
    try:
        return number(_REAL_FUNCTIONS[name](argument.real))
    except (ValueError, OverflowError) as error:
        raise OracleError(f"{name}({argument.real}) has no value") from error


def _rotate(value: Scalar, distance: int) -> Scalar:
    """Rotate towards higher indices; the bits that leave at the top come in at the bottom."""
    size = value.type.bits
    distance %= size
    return wrap(value.pattern << distance | value.pattern >> (size - distance), value.type)

"""Built-in functions (spec, "Mathematical functions available ...") and calls in expressions."""

from __future__ import annotations

import cmath
import math
from typing import TYPE_CHECKING, Any

from reader.budget import CHOICE
from reader.compiler.coercion import integer, need_of
from reader.compiler.conversions import convert, need
from reader.compiler.gate_tables import GATES
from reader.compiler.known_numbers import real_number, whole_number
from reader.compiler.logic import choose
from reader.compiler.references import array_of
from reader.compiler.scratch import Scratch
from reader.compiler.sweeps import lifted
from reader.compiler.values import (
    BITLIKE,
    COMPLEX,
    FINE,
    FLOAT,
    INT,
    NUMBERS,
    UINT,
    Exact,
    Type,
    Value,
    angle_to_float,
    from_bits,
    promote,
    to_bits,
)
from reader.errors import did_you_mean, fault, invalid, quote, unsupported
from reader.operations import Node
from reader.swept import Swept, UnalikeError, has_swept

if TYPE_CHECKING:
    from collections.abc import Callable

    from reader.compiler.machine import Machine
    from reader.text import syntax

_REAL: dict[str, Callable[[float], float]] = {
    "arccos": math.acos,
    "arcsin": math.asin,
    "arctan": math.atan,
    "cos": math.cos,
    "sin": math.sin,
    "tan": math.tan,
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "floor": lambda x: float(math.floor(x)),
    "ceiling": lambda x: float(math.ceil(x)),
}
_PERIODIC = frozenset(["cos", "sin", "tan"])
_COMPLEX: dict[str, Callable[[complex], complex]] = {"exp": cmath.exp, "sqrt": cmath.sqrt}
_OTHERS = ("mod", "pow", "popcount", "rotl", "rotr", "sizeof", "real", "imag")
NAMES = (*_REAL, *_OTHERS)
# Qiskit writes expressions of parameters with these, which the language does not have.
_QISKITS: dict[str, Callable[[float], float]] = {
    "acos": math.acos,
    "asin": math.asin,
    "atan": math.atan,
    "abs": math.fabs,
    "sign": lambda x: float((x > 0) - (x < 0)),
    "conj": float,  # of a real number
}
_NUMBERS = _REAL | _QISKITS


def call(m: Machine, node: syntax.Call) -> Value:  # noqa: C901 a dispatch over the language
    """Return the value of a call: a built-in function, or a subroutine that has run already (see `subroutines`)."""
    name = node.name
    if name in m.subroutines:
        variable = m.results.get(id(node))
        if variable is None:
            invalid(f"{quote(name)} cannot be called here.", node.at, "Call it earlier, in a statement of its own.")
        if m.subroutines[name].returns is None:
            invalid(f"{quote(name)} returns nothing.", node.at, "Give it a type: 'def f() -> bit'.")
        return m.read(variable, node.at)
    if name in m.externs:
        unsupported(
            f"{quote(name)} is extern: there is no code for it here.", node.at, "Write it as a subroutine with 'def'."
        )
    if name in _QISKITS:
        m.notes.add(f"{quote(name)} is a function of Qiskit's, not of OpenQASM 3: other tools may refuse it.", node.at)
    elif name not in NAMES:
        known = [*NAMES, *m.subroutines]
        hint = "OpenQASM 3 calls it log." if name == "ln" else did_you_mean(name, known)
        if name in m.gates or name in GATES:
            hint = f"A gate is applied to qubits: '{usage(m, name)}'."
        invalid(f"{quote(name)} is not a function or subroutine.", node.at, hint)
    if name == "sizeof":
        return sizeof(m, node)
    arguments = [m.evaluate(argument) for argument in node.arguments]
    wanted = 2 if name in ("mod", "pow", "rotl", "rotr") else 1
    if len(arguments) != wanted:
        invalid(f"{name} takes {wanted} argument{'s' if wanted > 1 else ''}, not {len(arguments)}.", node.at)
    if name in _PERIODIC:
        arguments = [periodic(m, node.arguments[0], arguments[0])]
    if has_swept(argument.data for argument in arguments):
        return lifted(m, lambda *each: applied(m, node, list(each)), *arguments)
    return applied(m, node, arguments)


def usage(m: Machine, name: str) -> str:
    """Return how a gate is applied, with as many parameters and qubits as it takes."""
    own = m.gates.get(name)
    parameters, qubits = (GATES[name][:2]) if own is None else (len(own.parameters), len(own.qubits))
    given = f"({', '.join('abcdefgh'[:parameters])})" if parameters else ""
    return f"{name[:40]}{given} {', '.join(f'q[{number}]' for number in range(min(qubits, 8)))};"


def periodic(m: Machine, node: syntax.Expression, value: Value) -> Value:
    """Return the argument of a function of period 2 pi; a large one that is known exactly modulo that."""
    data = value.data
    if type(data) is Swept and value.type.kind == "float" and data.peak() > FINE:
        raise UnalikeError  # one of them may be known exactly
    if m.large:
        value = m.sharpen(node, value)
    if type(value.data) is not Exact:
        return value
    from reader.compiler.exact_numbers import reduced  # noqa: PLC0415 - few programs have such angles

    return Value(value.type, reduced(value.data.exact))


def applied(m: Machine, node: syntax.Call, arguments: list[Value]) -> Value:
    """Return a built-in function of arguments, as many as it takes."""
    name = node.name
    if name == "popcount":
        return popcount(m, arguments[0], node.at)
    if name in ("rotl", "rotr"):
        return rotate(m, arguments[0], arguments[1], node.at, left=name == "rotl")
    arguments = [need_of(m, part, argument) for part, argument in zip(node.arguments, arguments, strict=True)]
    if name in ("mod", "pow"):
        return two_numbers(m, "%" if name == "mod" else "**", arguments[0], arguments[1], node.at)
    value = arguments[0]
    if name in ("real", "imag"):
        number = convert(m, value, COMPLEX, node.at).data
        return Value(FLOAT, number.real if name == "real" else number.imag)
    return one_number(m, name, value, node.at)


def one_number(m: Machine, name: str, value: Value, at: int) -> Value:
    """Return a function of one real or complex number."""
    try:
        if value.type.kind == "complex" and name in _COMPLEX:
            return Value(COMPLEX, _COMPLEX[name](value.data))
        if value.type.kind == "angle" and name in _PERIODIC:
            number = angle_to_float(value.type.width, value.data)
        else:
            number = convert(m, value, FLOAT, at).data
        return Value(FLOAT, float(_NUMBERS[name](number)))
    except (ValueError, OverflowError, ZeroDivisionError):
        shown = {"log": "ln"}.get(name, name.replace("arc", "a")) if m.legacy else name
        fault(f"{shown} has no finite value here.", at, "Give it an argument for which it is defined.")


def two_numbers(m: Machine, op: str, left: Value, right: Value, at: int) -> Value:
    """Return `mod` or `pow`."""
    kind = promote(left.type, right.type)
    if kind is None or kind.kind not in NUMBERS or (kind.kind == "complex" and op == "%"):
        invalid("These arguments are not numbers.", at)
    if kind.kind in ("int", "uint"):
        kind = INT if op == "**" else kind
        return Value(kind, whole_number(m, op, kind, left.data, right.data, at))
    return real_number(m, op, kind, convert(m, left, kind, at).data, convert(m, right, kind, at).data, at)


def popcount(m: Machine, value: Value, at: int) -> Value:
    """Return how many bits are set, as a uint."""
    if value.type.kind not in BITLIKE:
        invalid(f"popcount takes bits, not {value.type}.", at)
    m.budget.spend(CHOICE * value.type.width, at)
    bits = to_bits(value)
    if value.known:
        return Value(UINT, sum(1 for bit in bits if bit))
    width = len(bits).bit_length()
    mark = Scratch(m)
    total = mark.reuse(m, m.arithmetic.count(bits, width))
    return from_bits(UINT, total + (0,) * (UINT.width - width))


def rotate(m: Machine, value: Value, distance: Value, at: int, *, left: bool) -> Value:
    """Return the bits moved around by a distance (spec, "Classical bits and registers")."""
    if value.type.kind not in ("bit", "uint", "angle", "int") or distance.type.kind not in ("int", "uint", "bit"):
        invalid(f"Only bits can be rotated, by an integer; not {value.type} by {distance.type}.", at)
    width = value.type.width
    m.budget.spend(CHOICE * width, at)
    current = to_bits(value)

    def turn(by: int) -> tuple[Any, ...]:
        by = (-by if left else by) % width
        return current[by:] + current[:by]

    if distance.known:
        return from_bits(value.type, turn(distance.data))
    if distance.type.kind == "int":
        return from_bits(value.type, turn(need(m, distance, at).data))
    mark = Scratch(m)
    for place, bit in enumerate(distance.data):
        if isinstance(bit, Node) or bit:
            m.budget.spend(CHOICE * width, at)
            moved = turn(pow(2, place, width) if width > 1 else 0)
            short = m.arithmetic.short
            current = tuple(short(choose(bit, new, old)) for new, old in zip(moved, current, strict=True))
    return from_bits(value.type, mark.reuse(m, current))


def sizeof(m: Machine, node: syntax.Call) -> Value:
    """Return the length of an array's dimension (spec, "Array arguments")."""
    if not 1 <= len(node.arguments) <= 2:  # noqa: PLR2004 - the array, and which dimension
        invalid("sizeof takes an array and, optionally, a dimension.", node.at)
    array = array_of(m, node.arguments[0])
    if array is None:
        invalid("sizeof takes an array.", node.arguments[0].at)
    dimension = integer(m, node.arguments[1]) if len(node.arguments) > 1 else 0
    if not 0 <= dimension < len(array.dimensions):
        fault(
            f"The array has no dimension {dimension}.", node.at, f"Its dimensions are 0 to {len(array.dimensions) - 1}."
        )
    return Value(Type("uint", UINT.width), array.dimensions[dimension])

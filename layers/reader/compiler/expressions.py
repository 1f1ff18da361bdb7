"""Values of expressions: what each name, literal, index or call stands for; operators.py has what joins them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NoReturn

from reader.compiler.coercion import FRACTIONS, evaluate_real, keeping
from reader.compiler.conversions import convert, truth, with_article
from reader.compiler.functions import call
from reader.compiler.logic import both, either
from reader.compiler.machine import Split
from reader.compiler.measured_numbers import extend
from reader.compiler.operators import binary, unary
from reader.compiler.references import LATER_CONSTANTS, concatenated, indices, lookup, refer, unknown
from reader.compiler.symbols import Bits, Qubits, Variable
from reader.compiler.types import resolve_type
from reader.compiler.values import (
    BITLIKE,
    BOOL,
    COMPLEX,
    DURATION,
    FLOAT,
    INT,
    TWO_PI,
    WORD,
    Type,
    Value,
    from_bits,
    to_bits,
)
from reader.errors import invalid
from reader.limits import LIMITS
from reader.operations import Node
from reader.text import syntax
from reader.text.durations import Duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from reader.compiler.machine import Machine
    from reader.compiler.symbols import Symbol

_INTEGERS = frozenset(["int", "uint", "bool"])
_GROWING = frozenset(["+", "-", "*", "**", "<<"])
CONSTANTS = {
    name: Value(FLOAT, number)
    for names, number in ((("pi", "π"), math.pi), (("tau", "τ"), TWO_PI), (("euler", "ℇ"), math.e))
    for name in names
}


def evaluate(m: Machine, node: syntax.Expression) -> Value:
    """Return the value of an expression; refuses arrays and qubits, which are not values."""
    if m.kept and node in m.kept:
        part, variable = m.kept[node]
        kept = m.read(variable, node.at).data
        return extend(part.kind, kept) if isinstance(kept, tuple) else Value(part.kind, kept)
    return _EVALUATE.get(type(node), _no_value)(m, node)


def _literal(_m: Machine, node: syntax.Literal) -> Value:
    known = node.known
    if known is None:
        node.known = known = literal(node)
    return known


def _name(m: Machine, node: syntax.Name) -> Value:
    symbol = lookup(m, node.name)
    if symbol is None:
        if node.name in CONSTANTS and not (m.legacy and node.name in LATER_CONSTANTS):
            return CONSTANTS[node.name]
        unknown(m, node)
    return read(m, symbol, node.at)


def _chain(m: Machine, node: syntax.Binary) -> Value:
    # A chain such as a + b + c leans to the left, as deep as it is long: no recursion over it.
    spine = []
    left: syntax.Expression = node
    while isinstance(left, syntax.Binary) and left not in m.kept:
        spine.append(left)
        left = left.left
    value = evaluate(m, left)
    for part in reversed(spine):
        if part.op in ("&&", "||"):
            value = logical(m, part, value)
            continue
        right = evaluate(m, part.right)
        if m.large and {value.type.kind, right.type.kind} == {"angle", "float"}:
            value, right = m.sharpen(part.left, value), m.sharpen(part.right, right)
        before = value
        try:
            value = binary(m, part.op, before, right, part.at)
        except Split as split:
            raise keeping(m, split, (part.left, before), (part.right, right)) from None
        if m.real and part.op == "/":
            look_at_division(m, before, right, value, part.at)
        if value.type.kind == "uint" and part.op in _GROWING and (_is_large(part.left) or _is_large(part.right)):
            look_at_large(m, part, before, right, value)
    return value


def look_at_division(m: Machine, left: Value, right: Value, quotient: Value, at: int) -> None:
    """Note a division of integers that loses a remainder."""
    if left.type.kind in _INTEGERS and right.type.kind in _INTEGERS and left.known and right.known:  # noqa: SIM102 as it reads best
        if right.data and left.data % right.data:
            m.notes.add_division(left.data, right.data, quotient.data, at)


def _is_large(node: syntax.Expression) -> bool:
    """Tell whether an expression is a number that is a uint for its size alone; in C99 a literal is signed."""
    return type(node) is syntax.Literal and node.kind == "int" and node.value.real >= 1 << (WORD - 1)


def look_at_large(m: Machine, node: syntax.Binary, left: Value, right: Value, value: Value) -> None:
    """Note that arithmetic on such a number lost bits."""
    a, b = left.data, right.data
    if type(a) is not int or type(b) is not int or type(value.data) is not int:
        return
    width = value.type.width
    if node.op == "**":  # which has at least one bit less than the base, times the exponent
        fits = (a.bit_length() - 1) * b <= width and a**b == value.data
    elif node.op == "<<":
        fits = a << min(b, width) == value.data
    else:
        fits = {"+": a + b, "-": a - b, "*": a * b}[node.op] == value.data
    if not fits:
        m.notes.add_wrapped(f"{a} {node.op} {b}", value.type, value.data, node.at)


def logical(m: Machine, node: syntax.Binary, left: Value) -> Value:
    """Return `left && right` or `left || right`; the right side is left alone where the left one decides."""
    first = truth(m, left, node.at)
    if not isinstance(first, Node) and first == (node.op == "||"):
        return Value(BOOL, first)
    second = truth(m, evaluate(m, node.right), node.right.at)
    return from_bits(BOOL, ((both if node.op == "&&" else either)(first, second),))


def _unary(m: Machine, node: syntax.Unary) -> Value:
    m.step(node.at)
    operand = node.operand
    if node.op == "-" and type(operand) is syntax.Literal and _is_large(operand):
        number = literal(operand).data
        return Value(Type("int", max(WORD, (number - 1).bit_length() + 1)), -number)
    return unary(m, node.op, evaluate(m, node.operand), node.at)


def _index(m: Machine, node: syntax.Index) -> Value:
    m.step(node.at)
    outer, m.real = m.real, False
    try:
        symbol = refer(m, node)
    finally:
        m.real = outer
    if symbol is not None:
        return read(m, symbol, node.at)
    return index_value(m, evaluate(m, node.target), node)


def _call(m: Machine, node: syntax.Call) -> Value:
    m.step(node.at)
    return call(m, node)


def _cast(m: Machine, node: syntax.Cast) -> Value:
    m.step(node.at)
    value = evaluate_real(m, node.operand, real=node.type.name in FRACTIONS)
    kind = resolve_type(m, node.type)
    if kind.width == 1 and kind.kind == "int":
        m.notes.add("An int[1] holds 0 and -1; uint[1] holds 0 and 1.", node.at)
    try:
        return convert(m, value, kind, node.at, explicit=True)
    except Split as split:
        raise keeping(m, split, (node.operand, value)) from None


def _concatenation(m: Machine, node: syntax.Concatenation) -> Value:
    m.step(node.at)
    return read(m, concatenated(m, node), node.at)


def _duration_of(m: Machine, _node: syntax.DurationOf) -> Value:
    m.notes.add("durationof is zero on an ideal simulator.")
    return Value(DURATION, Duration())


def _no_value(_m: Machine, node: syntax.Expression) -> NoReturn:
    if isinstance(node, syntax.Hardware):
        invalid("A qubit has no value.", node.at, "Measure it first.")
    invalid("This is not a value.", node.at)


def literal(node: syntax.Literal) -> Value:  # noqa: PLR0911 a dispatch over the language
    """Return the value of a literal; an integer is as wide as it needs to be, and at least a machine word."""
    data = node.value
    if node.kind == "int":
        assert isinstance(data, int)  # noqa: S101 - what the parser puts there
        if data < 1 << (WORD - 1):
            return Value(INT, data)
        width = max(WORD, data.bit_length())
        if width > LIMITS.integer_bits:
            invalid(f"This number needs more than {LIMITS.integer_bits} bits.", node.at, "Write a float, such as 1e99.")
        return Value(Type("uint", width), data)
    if node.kind == "float":
        return Value(FLOAT, data)
    if node.kind == "bool":
        return Value(BOOL, data)
    if node.kind == "bit":
        return Value(Type("bit", node.width), data)
    if node.kind == "complex":
        return Value(COMPLEX, data)
    assert node.length is not None  # noqa: S101 - what the parser puts there
    return Value(DURATION, node.length)


def read(m: Machine, symbol: Symbol, at: int) -> Value:  # noqa: RET503 it ends in a refusal
    """Return the value of what a name or index refers to."""
    if isinstance(symbol, Variable):
        return m.read(symbol, at)
    if isinstance(symbol, Bits):
        kind = Type("bit", len(symbol.places))
        return from_bits(kind, tuple(m.read_bit(variable, number) for variable, number in symbol.places))
    if isinstance(symbol, Qubits):
        later = m.hint("'bit m = measure q;', then use m.", "'measure q -> c;', then test c.")
        invalid("A qubit has no value.", at, f"Measure it first: {later}")
    invalid("A whole array cannot be used in an expression.", at, "Use one of its elements.")


def index_value(m: Machine, value: Value, node: syntax.Index) -> Value:
    """Return bits of a value that is not a variable, such as a call's result."""
    if value.type.kind not in BITLIKE or value.type.kind == "bool" or len(node.items) != 1:
        invalid(f"{with_article(value.type).capitalize()} cannot be indexed.", node.at)
    chosen, _ = indices(m, node.items[0], value.type.width, "bits", node.at)
    bits = to_bits(value)
    return from_bits(Type("bit", len(chosen)), tuple(bits[number] for number in chosen))


_EVALUATE: dict[type, Callable[[Machine, Any], Value]] = {
    syntax.Literal: _literal,
    syntax.Name: _name,
    syntax.Binary: _chain,
    syntax.Unary: _unary,
    syntax.Index: _index,
    syntax.Call: _call,
    syntax.Cast: _cast,
    syntax.Concatenation: _concatenation,
    syntax.DurationOf: _duration_of,
}

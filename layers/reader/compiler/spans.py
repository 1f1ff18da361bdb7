"""The values that a sum of measured bits can have: a thousand bits have a thousand and one sums, which ten bits hold.

What is added to an integer or taken from it moves the ends of its interval, its span. The spans are those of integers
modulo two to the power of their width, so that -1 and the largest number of a uint are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.compiler.logic import effective
from reader.compiler.references import lookup
from reader.compiler.symbols import Variable
from reader.compiler.values import Value, from_bits, wrap
from reader.text import syntax

if TYPE_CHECKING:
    from reader.compiler.machine import Machine

Span = tuple[int, int]
_INTEGERS = frozenset(["int", "uint"])
_OPERANDS = frozenset(["int", "uint", "bool", "bit"])


def assigned(m: Machine, node: syntax.Assignment, target: Variable, value: Value) -> tuple[Value, Span | None]:
    """Return what a sum or difference gives a variable in as few bits as its span needs, and the span."""
    if target.type.kind not in _INTEGERS or not isinstance(value.data, tuple):
        return value, None
    span = _sum(m, node, target)
    if span is None:
        return value, None
    low, high = span
    width = target.type.width
    size = high.bit_length() if low >= 0 else max(high, ~low).bit_length() + 1
    if size >= width:
        return value, None
    top = 0 if low >= 0 else value.data[size - 1]
    return from_bits(value.type, value.data[:size] + (top,) * (width - size)), span


def _sum(m: Machine, node: syntax.Assignment, target: Variable) -> Span | None:
    if node.op in ("+=", "-="):
        left, right, op = node.target, node.value, node.op[0]
    elif node.op == "=" and isinstance(node.value, syntax.Binary) and node.value.op in ("+", "-"):
        left, right, op = node.value.left, node.value.right, node.value.op
    else:
        return None
    width = target.type.width
    one, other = _span(m, left, width), _span(m, right, width)
    # A sum of narrower numbers is one of their width, and wraps there.
    if one is None or other is None or max(one[1], other[1]) < width:
        return None
    (low, high), (least, most) = one[0], other[0]
    return (low + least, high + most) if op == "+" else (low - most, high - least)


def _span(m: Machine, node: syntax.Expression, width: int) -> tuple[Span, int] | None:
    """Return the span of an operand, and how many bits its type has; None where it is not a plain one."""
    if isinstance(node, syntax.Name):
        symbol = lookup(m, node.name)
        span = m.spans.get(symbol) if isinstance(symbol, Variable) else None
        # One of as many bits is the same number modulo the width, whatever it is extended to.
        if span is not None and isinstance(symbol, Variable):
            low, high = span
            kind = symbol.type
            if kind.width >= width or low == wrap(kind.kind, kind.width, low) <= high == wrap(
                kind.kind, kind.width, high
            ):
                return span, kind.width
    elif not isinstance(node, syntax.Literal | syntax.Cast | syntax.Index):
        return None
    value = m.evaluate(node)
    if value.type.kind not in _OPERANDS or value.type.dimensions:
        return None
    return _of_bits(value), value.type.width


def _of_bits(value: Value) -> Span:
    """Return the values that the bits of a number allow."""
    if not isinstance(value.data, tuple):
        return value.data, value.data
    if value.type.kind == "int":
        most = 1 << effective(value.data, signed=True) - 1
        return -most, most - 1
    return 0, (1 << effective(value.data, signed=False)) - 1


def union(one: Span | None, other: Span | None, width: int) -> Span | None:
    """Return the span of a variable of a width that has one of two, the second moved next to the first."""
    if one is None or other is None:
        return None
    turn = 1 << width
    moved = turn * ((sum(one) - sum(other) + turn) // (2 * turn))
    return min(one[0], other[0] + moved), max(one[1], other[1] + moved)

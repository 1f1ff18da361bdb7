"""The values that a sum of measured bits can have: a thousand bits have a thousand and one sums, which ten bits hold.

What is added to an integer or taken from it moves the ends of its interval, its span. The spans are those of integers
modulo two to the power of their width, so that -1 and the largest number of a uint are the same.

A span decides what is emitted by few questions alone, such as how many bits it needs. Each answer is remembered with
its margins (`Decision`): while none of them is negative the answer stays, and what follows is linear in the spans. So a
loop's rounds that move its spans alike are known to be the same up to the round where a margin is used up, see
`repetition`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.compiler.logic import effective
from reader.compiler.machine import Decision
from reader.compiler.references import lookup
from reader.compiler.symbols import Variable
from reader.compiler.values import Type, Value, from_bits
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
    size = _size(m, low, high)
    if size >= width:
        return value, None
    top = 0 if low >= 0 else value.data[size - 1]
    return from_bits(value.type, value.data[:size] + (top,) * (width - size)), span


def _size(m: Machine, low: int, high: int) -> int:
    """Return how many bits hold the integers of a span."""
    largest = max(high, ~low)
    size = largest.bit_length()
    margins = ((1 << size) - 1 - largest, largest - (1 << size >> 1))
    if low >= 0:
        m.decisions.append(Decision(("size", size), (low, *margins)))
        return size
    if largest == high:
        m.decisions.append(Decision(("signed, up", size), (~low, high - ~low, *margins)))
    else:
        m.decisions.append(Decision(("signed, down", size), (~low, ~low - high, *margins)))
    return size + 1


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
            kind = symbol.type
            if kind.width >= width or _fits(m, span, kind):
                return span, kind.width
    elif not isinstance(node, syntax.Literal | syntax.Cast | syntax.Index) and not (
        isinstance(node, syntax.Call) and node.name in m.subroutines
    ):
        return None
    value = m.evaluate(node)
    if value.type.kind not in _OPERANDS or value.type.dimensions:
        return None
    return _of_bits(value), value.type.width


def _fits(m: Machine, span: Span, kind: Type) -> bool:
    """Tell whether all integers of a span are numbers of a type as they are."""
    low, high = span
    half, turn = 1 << kind.width - 1, 1 << kind.width
    least, most = (-half, half - 1) if kind.kind == "int" else (0, turn - 1)
    if low < least:
        m.decisions.append(Decision(("below",), (least - 1 - low,)))
    elif high > most:
        m.decisions.append(Decision(("above",), (high - most - 1,)))
    else:
        m.decisions.append(Decision(("fits",), (low - least, most - high)))
        return True
    return False


def _of_bits(value: Value) -> Span:
    """Return the values that the bits of a number allow."""
    if not isinstance(value.data, tuple):
        return value.data, value.data
    if value.type.kind == "int":
        most = 1 << effective(value.data, signed=True) - 1
        return -most, most - 1
    return 0, (1 << effective(value.data, signed=False)) - 1


def union(m: Machine, one: Span | None, other: Span | None, width: int) -> Span | None:
    """Return the span of a variable of a width that has one of two, the second moved next to the first."""
    if one is None or other is None:
        return None
    turn = 1 << width
    turns, rest = divmod(sum(one) - sum(other) + turn, 2 * turn)
    low, high = other[0] + turn * turns, other[1] + turn * turns
    lower, higher = low - one[0], one[1] - high
    answer = ("union", turns, lower >= 0, higher >= 0)
    m.decisions.append(Decision(answer, (rest, 2 * turn - 1 - rest, abs(lower), abs(higher))))
    return min(one[0], low), max(one[1], high)

"""Expressions worked out exactly where floats of their size are too far apart: `2**60 * pi` is not a turn at all.

An expression of numbers, pi and what stands for them is evaluated again as `a + b pi`, if a part of it was over `FINE`.
A variable is the float that it holds; constants and the parameters of gates, which never change, are what they were
given.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from reader.budget import EXACT
from reader.compiler.conversions import need
from reader.compiler.exact_numbers import OPERATIONS, PI, Real
from reader.compiler.operators import binary
from reader.compiler.references import lookup
from reader.compiler.symbols import Frame, Variable
from reader.compiler.types import resolve_type
from reader.compiler.values import FINE, LARGEST, Exact, Value, to_float
from reader.errors import fault
from reader.swept import Swept, UnalikeError
from reader.text import syntax
from reader.text.durations import exact

if TYPE_CHECKING:
    from collections.abc import Callable

    from reader.compiler.machine import Machine
    from reader.compiler.values import Type

_ROUNDINGS = 1 << 50  # a float is off by less than one part of so many where nothing was lost
_DOUBLE = 64  # bits of a float that is a double here, or more
_INTEGERS = frozenset(["int", "uint", "bool", "bit"])
_PIS = {"pi": PI, "π": PI, "tau": Real(Fraction(), Fraction(2)), "τ": Real(Fraction(), Fraction(2))}


def sharpened(m: Machine, node: syntax.Expression, value: Value) -> Value:
    """Return a float that may be off as one that is not; where nothing exact is known, as it is."""
    if type(value.data) is Swept:
        raise UnalikeError
    if value.type.kind != "float" or value.type.width < _DOUBLE or not math.isfinite(value.data):
        return value
    m.asked += 1
    real = real_of(m, node)
    number = None if real is None else real.number()
    nearest = math.inf if number is None else to_float(number)
    if number is not None and abs(number - Fraction(value.data)) * _ROUNDINGS <= abs(number):
        nearest = value.data  # as it is in a sweep, to the last bit
    if real is None or math.isinf(nearest):
        fault("Parts of this are too large for floats, which lose what it is.", node.at, "Use smaller numbers.")
    if abs(nearest) <= FINE or (abs(nearest) > LARGEST and (real.rounded or not real.of_pi)):
        return Value(value.type, nearest)
    return Value(value.type, Exact(nearest, real))


def real_of(m: Machine, node: syntax.Expression) -> Real | None:
    """Return what an expression is exactly; None if that is not known."""
    found = _work_out(m, node)
    return as_real(found) if isinstance(found, Value) else found


def of_constant(m: Machine, node: syntax.Expression, kind: Type) -> Real | None:
    """Return what a constant of a type is exactly; None if that is not known."""
    try:
        return real_of(m, node) if kind.width >= _DOUBLE else None
    except UnalikeError:  # made of an input: an expression that needs it is compiled for each binding
        return None


def as_real(value: Value) -> Real | None:
    """Return a value as the number that it is; None for those that are not numbers or not known."""
    kind, data = value
    if type(data) is Swept:
        raise UnalikeError
    if not value.known:
        return None
    if kind.kind in _INTEGERS:
        return Real(Fraction(int(data)))
    if kind.kind == "angle":
        return Real(Fraction(), Fraction(2 * data, 1 << kind.width))
    if kind.kind != "float":
        return None
    if type(data) is Exact:
        real: Real = data.exact
        return real
    return Real(Fraction(data), rounded=True) if math.isfinite(data) else None


def _of_double(value: Value) -> Real | Value | None:
    """Return a double as a number; integers and narrower floats as they are, which round what is made of them."""
    return as_real(value) if value.type.kind == "float" and value.type.width >= _DOUBLE else value


def _work_out(m: Machine, node: syntax.Expression) -> Real | Value | None:
    """Return a real number, or a value of another type than float."""
    m.budget.spend(EXACT, node.at)
    if node in m.kept:
        return _as_read(m, node)
    work_out: Callable[[Machine, Any], Real | Value | None] = _WORK_OUT.get(type(node), _as_it_is)
    return work_out(m, node)


def _as_it_is(m: Machine, node: syntax.Expression) -> Real | Value | None:
    """Return an integer, which is exact; the float, where it is calculated otherwise, as by `sin`."""
    value = need(m, m.evaluate(node), node.at)
    return _of_double(value)


def _literal(m: Machine, node: syntax.Literal) -> Real | Value | None:
    if node.kind != "float":
        return m.evaluate(node)
    if isinstance(node.written, int):
        return Real(Fraction(node.written))
    try:
        value = Fraction(node.value.real)
        return Real(value, rounded=node.written is None or exact(node.written) != value)
    except OverflowError:  # an infinite number, or one of too many digits
        return None


def _name(m: Machine, node: syntax.Name) -> Real | Value | None:
    symbol = lookup(m, node.name)
    if symbol is None and node.name in _PIS:
        return _PIS[node.name]
    if isinstance(symbol, Variable):
        frame = m.frame
        if frame.given is not None and frame.scopes[0].get(node.name) is symbol:
            found = _arguments(m, frame)[node.name]
        else:
            if isinstance(symbol.exact, syntax.Literal):
                symbol.exact = real_of(m, symbol.exact)
            found = symbol.exact
        if found is not None:
            return found
        value = need(m, m.read(symbol, node.at), node.at)
        return _of_double(value)
    return _as_it_is(m, node)


def _arguments(m: Machine, frame: Frame) -> dict[str, Real | None]:
    """Return what the parameters of a gate that is being expanded are exactly."""
    # From the outermost call inwards, so that no evaluation goes deeper than one expression.
    frames = []
    outer: Frame | None = frame
    while outer is not None and outer.given is not None and outer.exact is None:
        frames.append(outer)
        outer = outer.given.frame
    for each in reversed(frames):
        given = each.given
        assert given is not None  # noqa: S101 - as it was chosen above
        each.exact = {
            name: _within(m, given.frame, argument, in_gate=given.in_gate) for name, argument in given.arguments.items()
        }
    assert frame.exact is not None  # noqa: S101 - worked out above
    return frame.exact


def _within(m: Machine, frame: Frame, node: syntax.Expression, *, in_gate: bool) -> Real | None:
    """Return what an expression is exactly where another frame's names are seen."""
    outer = m.frame, m.in_gate
    m.frame, m.in_gate = frame, in_gate
    try:
        return real_of(m, node)
    finally:
        m.frame, m.in_gate = outer


def _unary(m: Machine, node: syntax.Unary) -> Real | Value | None:
    if node.op == "-":
        found = _work_out(m, node.operand)
        if isinstance(found, Real):
            return found.negative()
        if found is None:
            return None
    return _as_it_is(m, node)


def _chain(m: Machine, node: syntax.Binary) -> Real | Value | None:
    # As in `expressions`: a chain leans to the left, as deep as it is long.
    spine = []
    left: syntax.Expression = node
    while isinstance(left, syntax.Binary) and left not in m.kept:
        spine.append(left)
        left = left.left
    found = _work_out(m, left)
    for part in reversed(spine):
        if found is None or part.op in ("&&", "||"):
            return None
        found = _joined(m, part.op, found, _work_out(m, part.right), part.at)
    return found


def _joined(m: Machine, op: str, left: Real | Value, right: Real | Value | None, at: int) -> Real | Value | None:
    """Return `left op right`; integers are calculated with as always, wrapping and dividing as they do."""
    m.budget.spend(EXACT, at)
    if right is None:
        return None
    if isinstance(left, Value) and isinstance(right, Value):
        return _of_double(binary(m, op, left, right, at))
    if op not in OPERATIONS:
        return None
    a, b = (part if isinstance(part, Real) else _integer(part) for part in (left, right))
    return None if a is None or b is None else OPERATIONS[op](a, b)


def _integer(value: Value) -> Real | None:
    return as_real(value) if value.type.kind != "angle" else None


def _cast(m: Machine, node: syntax.Cast) -> Real | Value | None:
    kind = resolve_type(m, node.type)
    if kind.kind != "float" or kind.width < _DOUBLE:
        return _as_it_is(m, node)
    return real_of(m, node.operand)


def _call(m: Machine, node: syntax.Call) -> Real | Value | None:
    if node.name in ("pow", "mod") and node.name not in m.subroutines and len(node.arguments) == 2:  # noqa: PLR2004 - a function of two
        left, right = (_work_out(m, argument) for argument in node.arguments)
        if isinstance(left, Real) or isinstance(right, Real):
            return None if left is None else _joined(m, "**" if node.name == "pow" else "%", left, right, node.at)
    return _as_it_is(m, node)


def _as_read(m: Machine, node: syntax.Expression) -> Real | Value | None:
    """Return what a place holds."""
    value = need(m, m.evaluate(node), node.at)
    return _of_double(value)


_WORK_OUT: dict[type, Callable[[Machine, Any], Real | Value | None]] = {
    syntax.Literal: _literal,
    syntax.Name: _name,
    syntax.Unary: _unary,
    syntax.Binary: _chain,
    syntax.Cast: _cast,
    syntax.Call: _call,
    syntax.Index: _as_read,
}

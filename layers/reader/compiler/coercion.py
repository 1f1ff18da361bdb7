"""Expressions as what a statement needs: a value of some type, a known value, an integer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reader.compiler.conversions import convert, need, with_article
from reader.compiler.logic import effective
from reader.compiler.machine import Part, Split
from reader.compiler.tree_walk import walk
from reader.compiler.values import INT, Type, Value, from_bits
from reader.errors import invalid
from reader.operations import cells
from reader.text import syntax

if TYPE_CHECKING:
    from reader.compiler.machine import Machine

INTEGERS = frozenset(["int", "uint"])

FRACTIONS = frozenset(["float", "angle", "complex", "duration"])


def evaluate_real(m: Machine, node: syntax.Expression, *, real: bool = True) -> Value:
    """Return the value of an expression that becomes an angle, an exponent or a float; or, not `real`, an integer."""
    outer, m.real = m.real, real
    try:
        value = m.evaluate(node)
    finally:
        m.real = outer
    return m.sharpen(node, value) if m.large else value


def evaluate_as(m: Machine, node: syntax.Expression, kind: Type) -> Value:
    """Return the value of an expression as a type that it can become by itself."""
    value = evaluate_real(m, node, real=kind.kind in FRACTIONS)
    try:
        made = convert(m, value, kind, node.at)
    except Split as split:
        raise keeping(m, split, (node, value)) from None
    if kind.kind in INTEGERS and made.data != value.data:
        look_at_fit(m, node, value, made)
    return made


def look_at_fit(m: Machine, node: syntax.Expression, value: Value, made: Value) -> None:
    """Note a known number that became another one, as its new type has too few bits for it.

    Not an unsigned one that is calculated from variables: as in C99, a counter may begin again at 0.
    """
    if type(made.data) is not int or not isinstance(value.data, int | float) or int(value.data) == made.data:
        return
    calculated = type(node) is syntax.Binary and any(type(part) is syntax.Name for part in walk(m, [node]))
    if made.type.kind == "int" or not calculated:
        m.notes.add_wrapped(str(value.data), made.type, made.data, node.at)


def keeping(m: Machine, split: Split, *parts: tuple[syntax.Expression, Value]) -> Split:
    """Return the split with the part to work out before the statement: the first that needs cells of its own."""
    for node, value in parts:
        if split.part is None and not value.known and any(m.is_own(cell) for bit in value.data for cell in cells(bit)):
            kind = narrow = value.type
            if kind.kind in ("int", "uint"):
                # Numbers are narrower than their type, mostly, and every bit may have to be looked at.
                narrow = Type(kind.kind, effective(value.data, signed=kind.kind == "int"))
            split.part = Part(node, kind, narrow, partial(narrowed, m, node, narrow))
    return split


def narrowed(m: Machine, node: syntax.Expression, kind: Type) -> Value:
    """Return an expression's value in the few bits that hold it."""
    data = m.evaluate(node).data
    return from_bits(kind, data[: kind.width]) if isinstance(data, tuple) else Value(kind, data)


def need_of(m: Machine, node: syntax.Expression, value: Value) -> Value:
    """Return an expression's value if it is known, else as `need` does."""
    try:
        return need(m, value, node.at)
    except Split as split:
        raise keeping(m, split, (node, value)) from None


def integer(m: Machine, node: syntax.Expression) -> int:  # noqa: RET503 it ends in a refusal
    """Return an integer that is needed while compiling."""
    value = m.evaluate(node)
    if type(value.data) is int and value.type is INT:
        return value.data
    value = need_of(m, node, value)
    if value.type.kind in ("int", "uint", "bit", "bool"):
        return int(value.data)
    if value.type.kind == "float" and float(value.data).is_integer():
        return int(value.data)
    invalid(f"Expected an integer here, not {with_article(value.type)}.", node.at)

"""Conversions between types, and values that a statement needs to know (spec, "Casting specifics")."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reader.compiler.logic import both, differ, either, negate
from reader.compiler.machine import Split
from reader.compiler.sweeps import lifted
from reader.compiler.values import (
    BITLIKE,
    BOOL,
    FINE,
    CastError,
    Type,
    Value,
    cast,
    cast_bits,
    from_bits,
    to_bits,
)
from reader.errors import invalid
from reader.operations import Bit, Node, cells
from reader.swept import Swept, UnalikeError

if TYPE_CHECKING:
    from reader.compiler.machine import Machine


def need(m: Machine, value: Value, at: int) -> Value:
    """Return the value if it is known; else have the statement compiled once per value of a measured bit."""
    data = value.data
    if isinstance(data, tuple) and value.type.kind in BITLIKE:
        for bit in data:
            for cell in cells(bit):
                if cell not in m.known:
                    raise Split(cell, at)
        return from_bits(value.type, tuple(settle(m, bit) for bit in data))
    return value


def settle(m: Machine, bit: Bit) -> Bit:
    """Return the bit with what is known about its cells put in."""
    if not isinstance(bit, Node):
        return bit
    if bit.op == "bit":
        return m.resolve(bit)
    assert isinstance(bit.a, Node)  # noqa: S101 - only `bit` has a cell there
    a = settle(m, bit.a)
    if bit.op == "!":
        return negate(a)
    b = settle(m, bit.b if bit.b is not None else 0)
    return {"&": both, "|": either, "^": differ}[bit.op](a, b)


def convert(m: Machine, value: Value, kind: Type, at: int, *, explicit: bool = False) -> Value:
    """Return the value as another type or refuse it."""
    if type(value.data) is Swept and value.type != kind:
        if kind.kind == "angle" and value.type.kind == "float" and value.data.peak() > FINE:
            raise UnalikeError  # one of them may be known exactly
        return lifted(m, lambda one: convert(m, one, kind, at, explicit=explicit), value)
    try:
        if value.type.kind in BITLIKE and kind.kind in BITLIKE:
            if kind.kind == "angle" and value.type.kind in ("int", "uint", "bool"):
                value = need(m, value, at)
            return value if value.type == kind else cast_bits(value, kind)
        value = need(m, value, at)
        made = cast(value, kind)
    except CastError as error:
        invalid(error.message, at, error.hint)
    if value.type.kind == "float" and kind.kind in ("int", "uint"):
        if not explicit and loses(value):
            m.notes.add(f"{value.data} loses its fraction as {with_article(kind)}.", at)
        if made.data != int(value.data):
            m.notes.add_wrapped(str(value.data), kind, made.data, at)  # in C99 it has no meaning, cast or not
    return made


def loses(value: Value) -> bool:
    """Tell whether a float has a fraction, which no integer can keep; an assignment drops it, as in C99."""
    return math.isfinite(value.data) and not float(value.data).is_integer()


def truth(m: Machine, value: Value, at: int) -> Bit:
    """Return a value as a condition."""
    if value.type.kind == "float":
        return int(value.data != 0)
    if value.type.kind not in BITLIKE:
        invalid(f"{with_article(value.type).capitalize()} is not a condition.", at)
    bit = to_bits(convert(m, value, BOOL, at))[0]
    return m.arithmetic.short(bit)


def with_article(kind: Type) -> str:
    """Return a type as a sentence names it: `an int[32]`."""
    return f"{'an' if kind.kind[0] in 'ai' else 'a'} {kind}"

"""Numbers of measured bits: how many bits hold them, and division with its signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.compiler.logic import both, differ, effective
from reader.compiler.values import (
    Type,
    Value,
    from_bits,
)
from reader.operations import Bit, Node

if TYPE_CHECKING:
    from reader.compiler.machine import Machine


def divided_by_power_of_two(m: Machine, op: str, a: tuple[Bit, ...], divisor: int) -> tuple[Bit, ...]:
    """Return quotient or remainder, truncated towards zero, of bits with their sign on top."""
    work = m.arithmetic
    place = abs(divisor).bit_length() - 1
    sign = work.short(a[-1])
    a = a[: max(place + 1, effective(a, signed=True))]
    if op == "%":
        # The remainder has the sign of the number, and is zero where its low bits are.
        return (*a[:place], work.short(both(sign, work.any_set(a[:place]))))
    rounded = work.add(a, [sign] * place + [0] * (len(a) - place)) if isinstance(sign, Node) or sign else a
    quotient = (*rounded[place:], rounded[-1])
    return work.negative(quotient) if divisor < 0 else quotient


def is_power_of_two(number: int) -> bool:
    """Tell whether a number is 1, 2, 4, 8 ..."""
    return number > 0 and number & (number - 1) == 0


def extend(kind: Type, bits: tuple[Bit, ...]) -> Value:
    """Return a narrow result as a value of the type."""
    fill = bits[-1] if kind.kind == "int" else 0
    return from_bits(kind, (bits + (fill,) * (kind.width - len(bits)))[: kind.width])


def divided(m: Machine, op: str, a: tuple[Bit, ...], b: tuple[Bit, ...], *, signed: bool) -> tuple[Bit, ...]:
    """Return quotient or remainder of measured bits, truncated towards zero."""
    work = m.arithmetic
    if not signed or a[-1] == b[-1] == 0:
        quotient, rest = work.divide(a, b, effective(b, signed=False))
        return rest + (0,) * (len(a) - len(rest)) if op == "%" else quotient
    a_sign, b_sign = a[-1], b[-1]
    a_size, b_size = _signed(m, a_sign, a), _signed(m, b_sign, b)
    quotient, rest = work.divide(a_size, b_size, effective(b_size, signed=False))
    if op == "%":
        return _signed(m, a_sign, rest + (0,) * (len(a) - len(rest)))
    return _signed(m, differ(a_sign, b_sign), quotient)


def _signed(m: Machine, sign: Bit, bits: tuple[Bit, ...]) -> tuple[Bit, ...]:
    """Return the bits' negative where the sign is set."""
    work = m.arithmetic
    sign = work.short(sign)
    return work.add([work.short(differ(sign, bit)) for bit in bits], (0,) * len(bits), sign)

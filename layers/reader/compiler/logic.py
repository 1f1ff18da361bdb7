"""Classical logic on measured bits: every bit is a Boolean expression over classical bits of the circuit.

Aer evaluates and, or, xor and not on single bits, but no arithmetic, so sums, products, shifts and comparisons are
built here from those. A bit that is known folds away; a long expression is kept short by storing it in a scratch bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader.operations import Bit, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHORT = 12  # operators in an expression before it is stored in a scratch bit


def negate(a: Bit) -> Bit:
    """Return not a."""
    if not isinstance(a, Node):
        return 1 - a
    if a.op == "!" and isinstance(a.a, Node):
        return a.a
    return Node("!", a)


def both(a: Bit, b: Bit) -> Bit:
    """Return a and b."""
    if not isinstance(a, Node):
        return b if a else 0
    if not isinstance(b, Node):
        return a if b else 0
    return a if a.same(b) else Node("&", a, b)


def either(a: Bit, b: Bit) -> Bit:
    """Return a or b."""
    if not isinstance(a, Node):
        return 1 if a else b
    if not isinstance(b, Node):
        return 1 if b else a
    return a if a.same(b) else Node("|", a, b)


def differ(a: Bit, b: Bit) -> Bit:
    """Return a exclusive-or b."""
    if not isinstance(a, Node):
        return negate(b) if a else b
    if not isinstance(b, Node):
        return negate(a) if b else a
    return 0 if a.same(b) else Node("^", a, b)


def choose(condition: Bit, yes: Bit, no: Bit) -> Bit:
    """Return yes where the condition holds, else no."""
    if not isinstance(condition, Node):
        return yes if condition else no
    if yes is no or (isinstance(yes, Node) and yes.same(no)) or (not isinstance(yes, Node) and yes == no):
        return yes
    return either(both(condition, yes), both(negate(condition), no))


def any_of(bits: Sequence[Bit]) -> Bit:
    """Return whether any bit is set, as a balanced tree so that it never nests deeply."""
    level = [bit for bit in bits if isinstance(bit, Node) or bit]
    if any(not isinstance(bit, Node) for bit in level):
        return 1
    while len(level) > 1:
        level = [either(level[i], level[i + 1]) if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]
    return level[0] if level else 0


def effective(bits: tuple[Bit, ...], *, signed: bool) -> int:
    """Return how many low bits hold the whole number; the rest repeat the sign, or are zero."""
    width = len(bits)
    top = bits[-1] if signed else 0
    while width > 1 and same_bit(bits[width - 2 if signed else width - 1], top):
        width -= 1
    return width


def same_bit(a: Bit, b: Bit) -> bool:
    """Tell whether two bits are certainly equal."""
    return a.same(b) if isinstance(a, Node) else not isinstance(b, Node) and a == b


class Arithmetic:
    """Operations on numbers of bits, least significant first; `shrink` stores a long expression in a scratch bit."""

    def __init__(self, shrink: Callable[[Bit], Bit]) -> None:
        self._shrink = shrink

    def short(self, bit: Bit) -> Bit:
        """Return the same bit as a short expression."""
        return self._shrink(bit) if isinstance(bit, Node) and bit.size > SHORT else bit

    def add(self, a: Sequence[Bit], b: Sequence[Bit], carry: Bit = 0) -> tuple[Bit, ...]:
        """Return a + b + carry modulo 2**n."""
        total: list[Bit] = []
        for left, right in zip(a, b, strict=True):
            half = self.short(differ(left, right))
            total.append(self.short(differ(half, carry)))
            carry = self.short(either(both(left, right), both(half, carry)))
        return tuple(total)

    def negative(self, a: Sequence[Bit]) -> tuple[Bit, ...]:
        """Return -a modulo 2**n."""
        return self.add([negate(bit) for bit in a], [0] * len(a), 1)

    def subtract(self, a: Sequence[Bit], b: Sequence[Bit]) -> tuple[Bit, ...]:
        """Return a - b modulo 2**n."""
        return self.add(a, [negate(bit) for bit in b], 1)

    def multiply(self, a: Sequence[Bit], b: Sequence[Bit]) -> tuple[Bit, ...]:
        """Return a * b modulo 2**n."""
        width = len(a)
        total: tuple[Bit, ...] = (0,) * width
        for shift, bit in enumerate(b):
            if not isinstance(bit, Node) and not bit:
                continue
            row = [0] * shift + [self.short(both(bit, other)) for other in a[: width - shift]]
            total = self.add(total, row)
        return total

    def divide(self, a: Sequence[Bit], b: Sequence[Bit], size: int) -> tuple[tuple[Bit, ...], tuple[Bit, ...]]:
        """Return quotient and remainder of unsigned numbers, b below 2**size; dividing by zero gives all ones."""
        width = len(a)
        # What is left is less than b, and so less than 2 b when the next bit has come in: one bit more will do.
        rest: tuple[Bit, ...] = (0,) * (size + 1)
        divisor = (*b[:size], 0)
        quotient: list[Bit] = [0] * width
        for index in reversed(range(width)):
            rest = (a[index], *rest[:-1])
            fits = self.short(negate(self.less(rest, divisor, signed=False)))
            quotient[index] = fits
            reduced = self.subtract(rest, divisor)
            rest = tuple(self.short(choose(fits, new, old)) for new, old in zip(reduced, rest, strict=True))
        return tuple(quotient), rest[:size]

    def less(self, a: Sequence[Bit], b: Sequence[Bit], *, signed: bool) -> Bit:
        """Return a < b."""
        if signed:
            # Flipping the sign bits maps two's complement order to unsigned order.
            a = (*a[:-1], negate(a[-1]))
            b = (*b[:-1], negate(b[-1]))
        borrow: Bit = 0
        for left, right in zip(a, b, strict=True):
            different = self.short(differ(left, right))
            borrow = self.short(choose(different, right, borrow))
        return borrow

    def equal(self, a: Sequence[Bit], b: Sequence[Bit]) -> Bit:
        """Return a == b."""
        return negate(self.any_set([differ(left, right) for left, right in zip(a, b, strict=True)]))

    def any_set(self, bits: Sequence[Bit]) -> Bit:
        """Return whether any bit is set."""
        level = [self.short(bit) for bit in bits]
        while len(level) > 1:
            level = [
                self.short(either(level[i], level[i + 1])) if i + 1 < len(level) else level[i]
                for i in range(0, len(level), 2)
            ]
        return level[0] if level else 0

    def shift(self, a: Sequence[Bit], amount: Sequence[Bit], *, left: bool, fill: Bit) -> tuple[Bit, ...]:
        """Return a shifted by an unsigned amount; bits shifted off the end are lost."""
        width = len(a)
        current = tuple(a)
        places = (width - 1).bit_length()
        for place, bit in enumerate(amount[:places]):
            if not isinstance(bit, Node) and not bit:
                continue
            distance = min(1 << place, width)
            moved = (0,) * distance + current[: width - distance] if left else current[distance:] + (fill,) * distance
            current = tuple(self.short(choose(bit, new, old)) for new, old in zip(moved, current, strict=True))
        if off := self.any_set(amount[places:]):
            current = tuple(self.short(choose(off, 0 if left else fill, bit)) for bit in current)
        return current

    def count(self, bits: Sequence[Bit], width: int) -> tuple[Bit, ...]:
        """Return how many bits are set, as a number of the width: three of one place become one and a carry."""
        total: list[Bit] = []
        column = list(bits)
        while column:
            carries: list[Bit] = []
            while len(column) > 1:
                a, b, c = column.pop(0), column.pop(0), column.pop(0) if column else 0
                half = self.short(differ(a, b))
                column.append(self.short(differ(half, c)))
                carries.append(self.short(either(both(a, b), both(half, c))))
            total.append(column[0])
            column = carries
        return tuple(total[:width] + [0] * (width - len(total)))

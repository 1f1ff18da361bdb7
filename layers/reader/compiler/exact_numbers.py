"""Numbers `a + b pi` with fractions a and b: what an angle is where a float does not hold it closely enough.

What has no such form, as the square of pi, is the fraction nearest to it with 1,280 bits behind the point.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import NamedTuple

_MOST_BITS = 4_096  # of a fraction's parts, so that no chain of operators costs much
_LARGEST = 2_048  # bits before the point, twice those of a float
_PI_BITS = 1_280  # as many, and 256 behind the point


class Real(NamedTuple):
    """The number `rational + of_pi * pi`; `rounded` where a part of it is a float that may be off from what was meant.

    None is what is no number, or is too large for a float.
    """

    rational: Fraction
    of_pi: Fraction = Fraction()
    rounded: bool = False

    def plus(self, other: Real) -> Real | None:
        """Return the sum."""
        return self._bounded(self.rational + other.rational, self.of_pi + other.of_pi, other)

    def minus(self, other: Real) -> Real | None:
        """Return the difference."""
        return self._bounded(self.rational - other.rational, self.of_pi - other.of_pi, other)

    def times(self, other: Real) -> Real | None:
        """Return the product."""
        if self.of_pi and other.of_pi:
            return self._bounded(self.number() * other.number(), Fraction(), other)
        of_pi = self.rational * other.of_pi + self.of_pi * other.rational
        return self._bounded(self.rational * other.rational, of_pi, other)

    def over(self, other: Real) -> Real | None:
        """Return the quotient."""
        if other.of_pi and not self.rational and not other.rational:
            return self._bounded(self.of_pi / other.of_pi, Fraction(), other)
        divisor = other.number()
        return self._bounded(self.rational / divisor, self.of_pi / divisor, other) if divisor else None

    def power(self, exponent: Real) -> Real | None:
        """Return the power; one that is no fraction of few bits is the float that it is as a power of floats."""
        base, number = self.number(), exponent.number()
        size = max(base.numerator.bit_length(), base.denominator.bit_length())
        if number.denominator != 1 or size * abs(number) > _MOST_BITS:
            try:
                found = float(base) ** float(number)
                return Real(Fraction(found), rounded=True)
            except (ArithmeticError, TypeError, ValueError):  # too large, or none that is real and finite
                return None
        if number < 0 and not base:
            return None
        return self._bounded(base ** int(number), Fraction(), exponent)

    def remainder(self, other: Real) -> Real | None:
        """Return what is left of a division, with this number's sign, as `fmod` does."""
        quotient = self.over(other)
        if quotient is None:
            return None
        whole = other.times(Real(Fraction(math.trunc(quotient.number()))))
        return None if whole is None else self.minus(whole)

    def negative(self) -> Real:
        """Return the negative."""
        return self._replace(rational=-self.rational, of_pi=-self.of_pi)

    def number(self) -> Fraction:
        """Return a fraction within 2**-200 of it."""
        return self.rational + self.of_pi * pi() if self.of_pi else self.rational

    def _bounded(self, rational: Fraction, of_pi: Fraction, other: Real) -> Real | None:
        """Return what was made of this number and another, long fractions rounded."""
        if max(_excess(rational), _excess(of_pi)) > _LARGEST:
            return None
        return Real(_short(rational), _short(of_pi), self.rounded or other.rounded)


def _excess(part: Fraction) -> int:
    """Return how many bits a fraction has before the point, about."""
    return part.numerator.bit_length() - part.denominator.bit_length()


def _short(part: Fraction) -> Fraction:
    """Return the fraction, or the nearest one of not too many bits."""
    if max(part.numerator.bit_length(), part.denominator.bit_length()) <= _MOST_BITS:
        return part
    return Fraction(round(part * (1 << _PI_BITS)), 1 << _PI_BITS)


OPERATIONS = {
    "+": Real.plus,
    "-": Real.minus,
    "*": Real.times,
    "/": Real.over,
    "%": Real.remainder,
    "**": Real.power,
}
PI = Real(Fraction(), Fraction(1))
FOUR = Real(Fraction(4))
FOUR_PI = Real(Fraction(), Fraction(4))


@cache
def pi() -> Fraction:
    """Return pi to 2**-1280, by Machin's formula: 16 arctan(1/5) - 4 arctan(1/239)."""
    unit = 1 << _PI_BITS + 16

    def arctan_of_one_over(number: int) -> int:
        total = power = unit // number
        divisor = 1
        while power:
            power //= -number * number
            divisor += 2
            total += power // divisor
        return total

    return Fraction(16 * arctan_of_one_over(5) - 4 * arctan_of_one_over(239), unit)


def reduced(real: Real, period: Real = FOUR_PI) -> float:
    """Return the float nearest to the number modulo the period, from minus to plus half of it.

    4 pi is a period of every parameter that counts in radians: rotations have 4 pi, phases 2 pi.
    """
    number, turn = real.number(), period.number()
    return float(number - round(number / turn) * turn)


def to_angle(real: Real, width: int) -> int:
    """Return the nearest angle of the width, ties to even."""
    return round(real.number() / (2 * pi()) * (1 << width)) & ((1 << width) - 1)

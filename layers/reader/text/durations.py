"""Durations are exact: whole nanoseconds and samples, or fractions of them, until a program asks for a float."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fractions import Fraction

    Exact = int | Fraction

UNITS = {"ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_MOST_BITS = 4_096  # of a fraction's parts; beyond, it is rounded as a float is
_LARGEST_EXPONENT = 400


class Duration(NamedTuple):
    """A length of time: nanoseconds plus backend samples (`dt`); `stretch` when a stretch makes it indefinite."""

    nanoseconds: Exact = 0
    samples: Exact = 0
    stretch: bool = False

    def plus(self, other: Duration, sign: int = 1) -> Duration:
        """Return the sum, or with sign -1 the difference."""
        return Duration(
            _bounded(self.nanoseconds + sign * other.nanoseconds),
            _bounded(self.samples + sign * other.samples),
            self.stretch or other.stretch,
        )

    def times(self, factor: Exact) -> Duration:
        """Return the product with a number."""
        return Duration(_bounded(self.nanoseconds * factor), _bounded(self.samples * factor), self.stretch)

    def over(self, divisor: Exact) -> Duration:
        """Return the quotient by a number; raises `ZeroDivisionError`."""
        return self.times(_fraction(1) / divisor)


def exact(number: str) -> Exact:
    """Return a decimal number such as `1.5e-3` as it is written; raises `OverflowError` for an exponent too large."""
    if number.isdigit():
        return int(number)
    _, _, exponent = number.lower().partition("e")
    if exponent and abs(int(exponent)) > _LARGEST_EXPONENT:
        raise OverflowError(number)
    return _whole(_fraction(number))


def exact_float(number: float) -> Exact:
    """Return a float as the shortest decimal that names it, so that 0.1 is a tenth; raises `OverflowError`."""
    if not math.isfinite(number):
        raise OverflowError(number)
    return _whole(_fraction(repr(number)))


def _fraction(number: int | str) -> Fraction:
    from fractions import Fraction  # noqa: PLC0415 - few programs have durations that are not whole

    return Fraction(number)


def _whole(number: Fraction) -> Exact:
    return number.numerator if number.denominator == 1 else number


def _bounded(number: Exact) -> Exact:
    """Return the number, rounded where loops have made it so long that it would cost too much."""
    if number.numerator.bit_length() <= _MOST_BITS and number.denominator.bit_length() <= _MOST_BITS:
        return number if isinstance(number, int) else _whole(number)
    return exact_float(float(number))

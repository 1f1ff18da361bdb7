"""Intervals of integers and what operators make of them, for `ranges`.

A uint of 64 bits and more that has gone below 0 is a large number, by the language. Here it is the negative one that
has the same bits, so that a counter that goes from 3 to 0 and once beyond has five values and not 2**64.
"""

from __future__ import annotations

from typing import NamedTuple

from reader.compiler.values import INT, Type, promote


class Interval(NamedTuple):
    """The integers from `low` to `high`, of a type."""

    low: int
    high: int
    type: Type


def whole(kind: Type) -> Interval:
    """Return all values of a type."""
    if kind.kind == "int":
        return Interval(-(1 << (kind.width - 1)), (1 << (kind.width - 1)) - 1, kind)
    return Interval(0, (1 << kind.width) - 1, kind)


def unsigned_bits(interval: Interval) -> int | None:
    """Return how many bits hold the values; None where they may be negative or need all that the type has."""
    spare = interval.low >= 0 and interval.high < whole(interval.type).high
    return interval.high.bit_length() if spare else None


def signed_bits(interval: Interval) -> int:
    """Return how many bits hold the values in two's complement."""
    return max(interval.high, ~interval.low).bit_length() + 1


def hull(one: Interval, other: Interval) -> Interval:
    """Return the interval from the least to the greatest of both."""
    return fitting(min(one.low, other.low), max(one.high, other.high), one.type)


def alike(left: Interval, right: Interval) -> bool:
    """Tell whether a comparison of the two is one of the numbers themselves, not of what is left of them in a uint."""
    if any(each.type.kind == "uint" and each.low < 0 for each in (left, right)):
        return False
    kind = promote(left.type, right.type)
    return kind is not None and (kind.kind == "int" or min(left.low, right.low) >= 0)


def wraps(left: Interval, right: Interval) -> bool:
    """Tell whether a uint that may have gone below 0 is compared, as a uint, with a number that is here by its bits."""
    return left.low < 0 and right.high < 1 << (left.type.width - 1) and promote(left.type, right.type) == left.type


def fitting(low: int, high: int, kind: Type) -> Interval:
    """Return an interval of a type, all of the type where it does not fit."""
    everything = whole(kind)
    least, most = everything.low, everything.high
    if kind.kind == "uint" and kind.width >= INT.width and low < 0:
        least, most, _ = whole(Type("int", kind.width))
    return Interval(low, high, kind) if least <= low and high <= most else everything


def within(interval: Interval | None, kind: Type) -> Interval:
    """Return an interval converted to a type."""
    if interval is None or (interval.low < 0 and interval.type.kind == "uint" and interval.type.width != kind.width):
        return whole(kind)
    return fitting(interval.low, interval.high, kind)


def combined(op: str, left: Interval, right: Interval) -> Interval | None:  # noqa: C901, PLR0911 a dispatch over operators
    """Return the interval of `left op right`, of the type that the compiler works in."""
    kind = promote(left.type, right.type)
    kinds = {left.type.kind, right.type.kind}
    if kind is None or kind.kind not in ("int", "uint") or kind.width > INT.width:
        return None
    if kinds <= {"bool", "bit"} and kind.width == 1:
        kind = INT
    elif "bit" in kinds and kinds != {"bit"} and INT not in (left.type, right.type):
        return None
    elif "bit" in kinds and INT in (left.type, right.type):
        kind = INT
    if any(each.low < 0 and each.type.kind == "uint" and each.type.width != kind.width for each in (left, right)):
        return None
    if kind.kind == "uint" and min(left.low, right.low) < 0 and (kind.width < INT.width or op not in ("+", "-", "*")):
        return None
    if op == "+":
        return fitting(left.low + right.low, left.high + right.high, kind)
    if op == "-":
        return fitting(left.low - right.high, left.high - right.low, kind)
    if op == "*":
        products = [a * b for a in left[:2] for b in right[:2]]
        return fitting(min(products), max(products), kind)
    if op == "%" and right.low > 0:  # a remainder has the sign of what is divided
        most = right.high - 1
        return fitting(max(min(left.low, 0), -most), min(max(left.high, 0), most), kind)
    if op == "/" and right.low > 0:
        quotients = [abs(a) // b * (-1 if a < 0 else 1) for a in left[:2] for b in right[:2]]
        return fitting(min(quotients), max(quotients), kind)
    return None

"""Types and values of the compiler (OpenQASM 3 spec, "Types and Casting"): widths, wraparound, casts, promotion.

A value of a bit-like type (bool, bit, int, uint, angle) is either a Python int, when it is known while compiling, or a
tuple of `logic` nodes, least significant first, when it depends on a measurement. Everything else is always known.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from reader.compiler.logic import any_of
from reader.text.durations import Duration

if TYPE_CHECKING:
    from reader.compiler.exact_numbers import Real
    from reader.operations import Bit

WORD = 64  # bits of an int, uint or angle without a size: the language leaves it to the implementation
TWO_PI = 2 * math.pi
FINE = 1e6  # radians up to which a float is within 1e-9 of what few operators make
LARGEST = 1e15 * TWO_PI  # beyond, floats are further apart than a turn and mean no angle
TOO_LARGE = "too large to be an angle: over 6e15, a float cannot distinguish parts of a turn."
REDUCE = "Reduce it modulo 2 pi; an exact multiple of pi may be larger."


class Type(NamedTuple):
    """A type: kind and width in bits; for arrays the element's kind and width, and the dimensions."""

    kind: str
    width: int = 0
    dimensions: tuple[int, ...] = ()

    def __str__(self) -> str:
        """Return the type as a program would write it."""
        if self.dimensions:
            inner = Type(self.kind, self.width)
            return f"array[{inner}, {', '.join(map(str, self.dimensions))}]"
        if self.kind == "bit" and self.width == 1:
            return "bit"
        if self.kind in ("bit", "int", "uint", "angle"):
            return f"{self.kind}[{self.width}]"
        return self.kind


BOOL = Type("bool", 1)
BIT = Type("bit", 1)
INT = Type("int", WORD)
UINT = Type("uint", WORD)
FLOAT = Type("float", 64)
COMPLEX = Type("complex", 64)
DURATION = Type("duration")
BITLIKE = frozenset(["bool", "bit", "int", "uint", "angle"])
NUMBERS = frozenset(["bool", "bit", "int", "uint", "float", "complex"])


class Value(NamedTuple):
    """A value with its type; see the module for what `data` holds."""

    type: Type
    data: Any

    @property
    def known(self) -> bool:
        """Tell whether the value is known while compiling."""
        return not isinstance(self.data, tuple) or isinstance(self.data, Duration)


class Exact(float):
    """A float over `FINE` of which more is known than it holds: the number that was written, see `exact_numbers`."""

    __slots__ = ("exact",)
    exact: Real

    def __new__(cls, nearest: float, exact: Real) -> Self:
        """Return the float nearest to a number, which it keeps."""
        made = super().__new__(cls, nearest)
        made.exact = exact
        return made

    def __neg__(self) -> Exact:
        """Return the negative, as exact."""
        return Exact(-float(self), self.exact.negative())

    def __eq__(self, other: object) -> bool:
        """Tell whether it stands for the same number, not just for the same float."""
        return type(other) is Exact and self.exact == other.exact

    def __hash__(self) -> int:
        """Return the hash of the number."""
        return hash(self.exact)

    def __repr__(self) -> str:
        """Return what tells it from others that are the same float."""
        return f"{self.exact.rational} + {self.exact.of_pi} pi"

    __str__ = float.__repr__


class CastError(Exception):
    """A value cannot become the type asked for; the message is the reason, the hint what to write instead."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def wrap(kind: str, width: int, number: int) -> int:
    """Return the number as the given bit-like type holds it: modulo 2**width, two's complement for int."""
    number &= (1 << width) - 1
    if kind == "int" and number >> (width - 1):
        number -= 1 << width
    return number


def default(kind: Type) -> Any:  # noqa: ANN401 - values are of many types
    """Return the value of a variable that is declared without one: zero."""
    if kind.kind == "float":
        return 0.0
    if kind.kind == "complex":
        return 0j
    if kind.kind == "duration":
        return Duration()
    if kind.kind == "stretch":
        return Duration(stretch=True)
    return 0


def to_bits(value: Value) -> tuple[Bit, ...]:
    """Return the bits of a bit-like value, least significant first."""
    if isinstance(value.data, tuple):
        return value.data
    width = value.type.width
    return tuple(map(int, reversed(f"{value.data & (1 << width) - 1:0{width}b}")))


def from_bits(kind: Type, bits: tuple[Bit, ...]) -> Value:
    """Return the value with these bits; known if all of them are."""
    for bit in bits:
        if bit != 0 and bit != 1:  # noqa: PLR1714 - as fast as it can be
            return Value(kind, bits)
    number = int("".join(["1" if bit else "0" for bit in reversed(bits)]) or "0", 2)
    return Value(kind, wrap(kind.kind, kind.width, number))


def angle_to_float(width: int, number: int) -> float:
    """Return an angle in radians, in [0, 2 pi)."""
    return math.ldexp(number, -width) * TWO_PI


def float_to_angle(width: int, radians: float) -> int:
    """Return the nearest angle of the width, ties to even (spec, "Casting from float")."""
    if not math.isfinite(radians):
        raise CastError("An infinite number is not an angle.")
    if not -FINE < radians < FINE:
        return _large_to_angle(width, radians)
    turns = math.fmod(radians / TWO_PI, 1.0)
    # The product is exact: a power of two only moves the exponent.
    return round(math.ldexp(turns, width)) & ((1 << width) - 1)


def _large_to_angle(width: int, radians: float) -> int:
    from fractions import Fraction  # noqa: PLC0415 - few programs have such angles

    from reader.compiler.exact_numbers import Real, to_angle  # noqa: PLC0415 - the same

    if type(radians) is Exact:
        return to_angle(radians.exact, width)
    if abs(radians) > LARGEST:
        raise CastError(f"This is {TOO_LARGE}", REDUCE)
    return to_angle(Real(Fraction(radians)), width)


def round_float(width: int, number: float) -> float:
    """Return the number as a float of the width holds it."""
    if width == 32 or width == 16:  # noqa: PLR1714, PLR2004 - IEEE 754 single and half
        layout = "f" if width == 32 else "e"  # noqa: PLR2004 - as above
        try:
            return float(struct.unpack(layout, struct.pack(layout, number))[0])
        except OverflowError:
            return math.copysign(math.inf, number)
    return number


def cast(value: Value, kind: Type) -> Value:  # noqa: C901, PLR0911, PLR0912 - the table of casts
    """Return the value as another type (spec, "Allowed casts"); raises `CastError`.

    Known values only, except for casts between bit-like types, which `logic` callers do for unknown ones.
    """
    source = value.type
    if source == kind:
        return value
    data = value.data
    if kind.dimensions or source.dimensions:
        raise CastError(f"{source} cannot become {kind}.")
    if kind.kind in BITLIKE and source.kind in BITLIKE:
        return cast_bits(value, kind)
    if source.kind == "complex":
        if kind.kind != "complex":
            raise CastError(f"A complex number cannot become {kind}.", "Use real(z) or imag(z).")
        return Value(kind, data)
    if kind.kind == "complex" and source.kind in NUMBERS:
        return Value(kind, complex(to_float(data)))
    if kind.kind == "float" and source.kind in NUMBERS:
        if source.kind == "bit" and source.width > 1:
            raise CastError(f"{source} cannot become a float.", f"Cast to uint[{source.width}] first.")
        return Value(kind, round_float(kind.width, to_float(data)))
    if source.kind == "float":
        if kind.kind == "bool":
            return Value(kind, int(data != 0))
        if kind.kind == "angle":
            return Value(kind, float_to_angle(kind.width, data))
        if kind.kind in ("int", "uint"):
            if not math.isfinite(data):
                raise CastError(f"{data} cannot become {kind}.")
            return Value(kind, wrap(kind.kind, kind.width, int(data)))
    if kind.kind in ("duration", "stretch") and source.kind in ("duration", "stretch"):
        return Value(kind, data)
    raise CastError(f"{source} cannot become {kind}.")


def to_float(number: Any) -> float:  # noqa: ANN401 - an int or a float
    """Return the number as a float, infinite where it is too large."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def cast_bits(value: Value, kind: Type) -> Value:  # noqa: C901 - the table of casts
    """Return a bit-like value as another bit-like type."""
    source = value.type
    data = value.data
    known = not isinstance(data, tuple)
    if kind.kind == "bool":
        return Value(kind, int(data != 0)) if known else from_bits(kind, (any_of(data),))
    if kind.kind == "bit" and source.kind in ("int", "uint", "bit", "angle") and kind.width != source.width:
        # The language wants equal widths; a number without a size of its own that is known and fits can lose nothing.
        plain = known and source.kind in ("int", "uint") and source.width == WORD
        if plain and not 0 <= data < 1 << kind.width:
            most = (1 << min(kind.width, WORD - 1)) - 1
            wider = ", or more bits" if data > 0 else ""
            raise CastError(f"{data} does not fit {kind}.", f"Use a number from 0 to {most}{wider}.")
        if not plain:
            hint = f"Take the bits you mean, such as x[0:{min(kind.width, source.width) - 1}]."
            raise CastError(f"{source} cannot become {kind}: the widths differ.", hint)
    elif source.kind == "bit" and kind.kind in ("int", "uint") and source.width > kind.width:
        raise CastError(f"{source} cannot become {kind}: the widths differ.", f"Use {kind.kind}[{source.width}].")
    elif source.kind == "bit" and kind.kind == "angle" and source.width != kind.width:
        raise CastError(f"{source} cannot become {kind}: the widths differ.", f"Use angle[{source.width}].")
    elif kind.kind == "angle" and source.kind in ("bool", "int", "uint"):
        # Zero is the same in every type, and programs begin with it.
        if data != 0 or source != INT:
            raise CastError(f"{source} cannot become an angle.", "Write a float such as 1.0 for radians.")
    elif source.kind == "angle" and kind.kind in ("int", "uint"):
        raise CastError(f"An angle cannot become {kind}.", f"Cast to bit[{source.width}] first.")
    if source.kind == kind.kind == "angle":
        return _resize_angle(value, kind)
    if known:
        return Value(kind, wrap(kind.kind, kind.width, data))
    fill = data[-1] if source.kind == "int" else 0
    return from_bits(kind, (data + (fill,) * max(0, kind.width - len(data)))[: kind.width])


def _resize_angle(value: Value, kind: Type) -> Value:
    """Pad an angle with low zero bits, or cut its low bits: truncation is one of the two allowed behaviours."""
    difference = kind.width - value.type.width
    if isinstance(value.data, tuple):
        bits = (0,) * difference + value.data if difference >= 0 else value.data[-difference:]
        return from_bits(kind, bits)
    number = value.data << difference if difference >= 0 else value.data >> -difference
    return Value(kind, number)


def promote(left: Type, right: Type) -> Type | None:  # noqa: PLR0911 a dispatch over the language
    """Return the type both operands of an arithmetic operator become, as in C99; None if there is none."""
    kinds = {left.kind, right.kind}
    if "complex" in kinds and kinds <= NUMBERS:
        return COMPLEX
    if "float" in kinds and kinds <= NUMBERS:
        return Type("float", max(kind.width for kind in (left, right) if kind.kind == "float"))
    if "angle" in kinds:
        widths = [kind.width for kind in (left, right) if kind.kind == "angle"]
        if kinds <= {"angle", "float"}:
            return Type("angle", max(widths))
        return None
    if kinds <= {"int", "uint", "bit", "bool"}:
        wide = max(left.width, right.width)
        signed = [kind.width for kind in (left, right) if kind.kind == "int"]
        unsigned = [kind.width for kind in (left, right) if kind.kind != "int"]
        if not signed:
            return Type("uint", wide)
        if not unsigned or max(signed) > max(unsigned):
            return Type("int", wide)
        return Type("uint", wide)
    if kinds <= {"duration", "stretch"}:
        return DURATION
    return None

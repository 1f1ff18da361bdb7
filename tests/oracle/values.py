"""The classical values of OpenQASM 3 and how they are cast: the lowest layer of the test oracle, no program in it.

The rules are those of "Types and Casting" in the OpenQASM 3 specification; where it leaves a choice, a comment says it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np

Kind = Literal["bit", "bool", "int", "uint", "angle", "float", "complex", "duration"]

# The specification leaves the width of a plain `int`, `uint` or `angle` to the machine.
MACHINE_WIDTH = 64

_FLOAT_FORMATS: dict[int, type[np.floating[Any]]] = {16: np.float16, 32: np.float32, 64: np.float64}


class OracleError(Exception):
    """The program breaks a rule of the language, or uses something that the oracle gives no meaning to."""


@dataclass(frozen=True)
class ScalarType:
    """A classical type; `width` is in bits, and None for `bool`, a single `bit`, `complex` and `duration`."""

    kind: Kind
    width: int | None = None

    @property
    def is_truth(self) -> bool:
        """Say whether this is `bool` or a single `bit`, which are interchangeable."""
        return self.kind == "bool" or (self.kind == "bit" and self.width is None)

    @property
    def is_register(self) -> bool:
        """Say whether this is `bit[n]`."""
        return self.kind == "bit" and self.width is not None

    @property
    def is_integer(self) -> bool:
        """Say whether this is `int` or `uint`."""
        return self.kind in ("int", "uint")

    @property
    def bits(self) -> int:
        """Return how many bits a value of this type is made of."""
        if self.is_truth:
            return 1
        if self.kind in ("bit", "int", "uint", "angle") and self.width is not None:
            return self.width
        raise OracleError(f"a {self.kind} is not made of bits")


@dataclass(frozen=True)
class ArrayType:
    """The type `array[base, shape...]`."""

    base: ScalarType
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Scalar:
    """A value with its type.

    `payload` is the number itself for `int`, `float` and so on; for `bit[n]` the unsigned integer with bit 0 lowest;
    for `angle[n]` the integer k that stands for the angle 2*pi*k/2**n; for `duration` seconds, a `Fraction`.
    """

    type: ScalarType
    payload: Any

    @property
    def pattern(self) -> int:
        """Return the bits of this value as an unsigned integer (two's complement for `int`)."""
        return int(self.payload) % (1 << self.type.bits)

    @property
    def real(self) -> float:
        """Return this value as a real number; an angle in radians, from 0 up to but not including 2*pi."""
        if self.type.kind == "angle":
            return 2 * math.pi * int(self.payload) / (1 << self.type.bits)
        if self.type.is_register or self.type.kind in ("complex", "duration"):
            raise OracleError(f"a {self.type.kind} is not a real number")
        return float(self.payload)

    @property
    def truth(self) -> bool:
        """Return `bool(value)`: whether it is anything but zero."""
        return bool(self.payload)

    @property
    def integer(self) -> int:
        """Return this value as an integer; a register counts as an unsigned one."""
        if self.type.is_integer or self.type.kind in ("bit", "bool"):
            return int(self.payload)
        raise OracleError(f"a {self.type.kind} is not an integer")


@dataclass(frozen=True)
class ArrayValue:
    """An array's cells: a numpy array of payloads, which may be a view into the storage of a variable."""

    base: ScalarType
    cells: np.ndarray[Any, Any]

    @property
    def type(self) -> ArrayType:
        """Return the type with the present shape."""
        return ArrayType(self.base, self.cells.shape)


Value = Scalar | ArrayValue
Type = ScalarType | ArrayType

BIT = ScalarType("bit")
BOOL = ScalarType("bool")
INT = ScalarType("int", MACHINE_WIDTH)
UINT = ScalarType("uint", MACHINE_WIDTH)
FLOAT = ScalarType("float", 64)
COMPLEX = ScalarType("complex")
DURATION = ScalarType("duration")


def truth(value: object) -> Scalar:
    """Return a `bool` value."""
    return Scalar(BOOL, int(bool(value)))


def number(value: float) -> Scalar:
    """Return a `float` value."""
    return Scalar(FLOAT, float(value))


def wrap(value: int, type_: ScalarType) -> Scalar:
    """Return the value of that integer type which has the same lowest bits: two's complement for `int`."""
    size = 1 << type_.bits
    pattern = value % size
    return Scalar(type_, pattern - size if type_.kind == "int" and pattern >= size // 2 else pattern)


def zero(type_: Type) -> Value:
    """Return what an uninitialised variable holds; undefined in the specification, zero in this product."""
    if isinstance(type_, ArrayType):
        return ArrayValue(type_.base, np.full(type_.shape, zero_payload(type_.base), dtype=object))
    return Scalar(type_, zero_payload(type_))


def zero_payload(type_: ScalarType) -> float | Fraction:
    """Return the payload of zero."""
    if type_.kind == "duration":
        return Fraction()
    return 0.0 if type_.kind in ("float", "complex") else 0


def cast(value: Value, type_: Type) -> Value:
    """Return `type_(value)`; assignments, arguments and returns convert in the same way."""
    if isinstance(value, Scalar) and isinstance(type_, ScalarType):
        return cast_scalar(value, type_)
    if isinstance(value, ArrayValue) and isinstance(type_, ArrayType) and value.cells.shape == type_.shape:
        copied = np.empty(type_.shape, dtype=object)
        for place in np.ndindex(type_.shape):
            copied[place] = cast_scalar(Scalar(value.base, value.cells[place]), type_.base).payload
        return ArrayValue(type_.base, copied)
    raise OracleError("an array converts only to an array of the same shape")


def cast_scalar(value: Scalar, type_: ScalarType) -> Scalar:
    """Return the scalar converted to another type."""
    if value.type == type_:
        return value
    if type_.is_truth:
        return Scalar(type_, int(value.truth))
    return _CASTS[type_.kind](value, type_)


def _to_register(value: Scalar, type_: ScalarType) -> Scalar:
    """Copy the bits. Other widths than the target's, which the newest text forbids, zero-extend or lose high bits."""
    if value.type.kind in ("float", "complex", "duration"):
        raise OracleError(f"a {value.type.kind} does not cast to bits")
    return wrap(value.pattern if value.type.kind == "angle" else int(value.payload), type_)


def _to_integer(value: Scalar, type_: ScalarType) -> Scalar:
    """Keep the number where it fits, else its lowest bits; a fraction is cut off towards zero, as in C99."""
    if value.type.kind in ("angle", "complex", "duration"):
        raise OracleError(f"a {value.type.kind} does not cast to an integer")
    if value.type.kind == "float" and not math.isfinite(value.payload):
        raise OracleError("an infinite or undefined number does not cast to an integer")
    return wrap(int(value.payload), type_)


def _to_float(value: Scalar, type_: ScalarType) -> Scalar:
    """Round to the nearest number of the IEEE 754 format."""
    if value.type.kind in ("angle", "complex", "duration") or value.type.is_register:
        raise OracleError(f"a {value.type.kind} does not cast to float")
    if type_.width is None or type_.width not in _FLOAT_FORMATS:
        raise OracleError(f"float[{type_.width}] is not an IEEE 754 format")
    return Scalar(type_, float(_FLOAT_FORMATS[type_.width](value.payload)))


def _to_angle(value: Scalar, type_: ScalarType) -> Scalar:
    """Take the nearest representable angle modulo 2*pi, ties to the even pattern; from `bit[n]` copy the bits."""
    if value.type.is_register:
        return wrap(value.pattern, type_)
    if value.type.kind == "angle":
        grow = type_.bits - value.type.bits
        return wrap(value.payload << grow if grow >= 0 else round(value.payload / (1 << -grow)), type_)
    turns = value.real / (2 * math.pi)
    return wrap(round(turns * (1 << type_.bits)), type_)


def _to_complex(value: Scalar, type_: ScalarType) -> Scalar:
    return Scalar(type_, complex(value.payload if value.type.kind == "complex" else value.real))


def _to_duration(value: Scalar, _: ScalarType) -> Scalar:
    raise OracleError(f"a {value.type.kind} does not cast to a duration")


_CASTS = {
    "bit": _to_register,
    "int": _to_integer,
    "uint": _to_integer,
    "float": _to_float,
    "angle": _to_angle,
    "complex": _to_complex,
    "duration": _to_duration,
}

"""What a name or an index refers to: variables, array elements, selected bits, and qubits.

A reference is read and written; taking an index of one gives another that shares the storage, so that slices, aliases
and `mutable` arguments change what they were taken from.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oracle.values import (
    BIT,
    ArrayType,
    ArrayValue,
    OracleError,
    Scalar,
    ScalarType,
    Value,
    cast,
    cast_scalar,
    wrap,
)

if TYPE_CHECKING:
    import numpy as np

    from oracle.values import Type


@dataclass(frozen=True)
class Range:
    """`start:step:end`, both ends included; a missing end means the end of what is indexed."""

    start: int | None
    step: int
    end: int | None

    def positions(self, size: int | None = None) -> tuple[int, ...]:
        """Return the members; with a size, as positions in a register, where negative ones count from its end."""
        if self.step == 0:
            raise OracleError("a range cannot have a step of zero")
        ends = (0, (size or 0) - 1) if self.step > 0 else ((size or 0) - 1, 0)
        start, end = (default if at is None else at for at, default in zip((self.start, self.end), ends, strict=True))
        if size is not None:
            start, end = (at + size if at < 0 else at for at in (start, end))
        return tuple(range(start, end + (1 if self.step > 0 else -1), self.step))


# One subscript: a number, a range, or a set of numbers.
Subscript = int | Range | tuple[int, ...]


def pick(size: int, subscript: Subscript) -> tuple[int, ...]:
    """Return the positions that a subscript selects out of `size`, refusing those outside."""
    if isinstance(subscript, Range):
        chosen = subscript.positions(size)
    else:
        wanted = (subscript,) if isinstance(subscript, int) else subscript
        chosen = tuple(at + size if at < 0 else at for at in wanted)
    if not chosen or any(not 0 <= at < size for at in chosen):
        raise OracleError(f"index {subscript} selects outside of 0..{size - 1}, or nothing")
    return chosen


class Reference(ABC):
    """Something that holds a value."""

    type: Type

    @abstractmethod
    def read(self) -> Value:
        """Return the value held now."""

    @abstractmethod
    def write(self, value: Value) -> None:
        """Hold that value from now on, converted to the type of this reference."""


class Variable(Reference):
    """A named place; `constant` forbids writing."""

    def __init__(self, type_: Type, value: Value, *, constant: bool = False) -> None:
        self.type = type_
        self.constant = constant
        self._value = cast(value, type_)

    def read(self) -> Value:
        """Return the value."""
        return self._value

    def write(self, value: Value) -> None:
        """Replace the value; an array keeps its storage, so that views of it stay views."""
        if self.constant:
            raise OracleError("a constant cannot be assigned to")
        converted = cast(value, self.type)
        if isinstance(converted, ArrayValue) and isinstance(self._value, ArrayValue):
            self._value.cells[...] = converted.cells
        else:
            self._value = converted


class ArrayView(Reference):
    """A whole array argument, or a slice of an array: shares its cells."""

    def __init__(self, base: ScalarType, cells: np.ndarray[Any, Any], *, constant: bool) -> None:
        self.type = ArrayType(base, cells.shape)
        self.constant = constant
        self._value = ArrayValue(base, cells)

    def read(self) -> Value:
        """Return the cells."""
        return self._value

    def write(self, value: Value) -> None:
        """Copy that array into the cells."""
        if self.constant:
            raise OracleError("a readonly array cannot be assigned to")
        converted = cast(value, self.type)
        assert isinstance(converted, ArrayValue)
        self._value.cells[...] = converted.cells


class Element(Reference):
    """One cell of an array."""

    def __init__(self, array: ArrayValue, place: tuple[int, ...], *, constant: bool) -> None:
        self.type: ScalarType = array.base
        self.constant = constant
        self._array = array
        self._place = place

    def read(self) -> Value:
        """Return the cell's value."""
        return Scalar(self._array.base, self._array.cells[self._place])

    def write(self, value: Value) -> None:
        """Replace the cell's value."""
        if self.constant:
            raise OracleError("a readonly array cannot be assigned to")
        if not isinstance(value, Scalar):
            raise OracleError("an array does not fit into one element")
        self._array.cells[self._place] = cast_scalar(value, self._array.base).payload


class Bits(Reference):
    """Bits of other places, in order: one bit (`c[0]`), a slice (`c[1:2]`), a concatenation (`a ++ b`)."""

    def __init__(self, places: tuple[tuple[Reference, int], ...], *, single: bool) -> None:
        self.places = places
        self.type: ScalarType = BIT if single else ScalarType("bit", len(places))

    def read(self) -> Value:
        """Gather the bits, the first of them lowest."""
        gathered = 0
        for position, (place, bit) in enumerate(self.places):
            gathered |= (_scalar(place).pattern >> bit & 1) << position
        return Scalar(self.type, gathered)

    def write(self, value: Value) -> None:
        """Scatter the bits of the value; a register needs the same number of them."""
        if not isinstance(value, Scalar):
            raise OracleError("an array does not fit into bits")
        if value.type.is_register and value.type.bits != len(self.places):
            raise OracleError(f"{value.type.bits} bits do not fit into {len(self.places)}")
        pattern = cast_scalar(value, self.type).pattern
        for position, (place, bit) in enumerate(self.places):
            whole = _scalar(place)
            cleared = whole.pattern & ~(1 << bit)
            place.write(wrap(cleared | (pattern >> position & 1) << bit, whole.type))


@dataclass(frozen=True)
class Qubits:
    """A qubit (`register` false) or a register of qubits, by their numbers in the whole state."""

    numbers: tuple[int, ...]
    register: bool


def _scalar(place: Reference) -> Scalar:
    value = place.read()
    if not isinstance(value, Scalar):
        raise OracleError("an array has no bits of its own")
    return value


def bits_of(place: Reference) -> tuple[tuple[Reference, int], ...]:
    """Return each bit of a register or integer as (place, position)."""
    if isinstance(place, Bits):
        return place.places
    if not isinstance(place.type, ScalarType):
        raise OracleError("an array has no bits of its own")
    return tuple((place, position) for position in range(place.type.bits))


def index_qubits(qubits: Qubits, subscript: Subscript) -> Qubits:
    """Return `qubits[subscript]`: one qubit for a number, a register for a range or a set."""
    if not qubits.register:
        raise OracleError("a single qubit cannot be indexed")
    chosen = pick(len(qubits.numbers), subscript)
    return Qubits(tuple(qubits.numbers[at] for at in chosen), register=not isinstance(subscript, int))


def index_reference(place: Reference, subscripts: list[Subscript]) -> Reference:
    """Return `place[subscripts]`: elements and slices of an array, bits of anything else."""
    value = place.read()
    if isinstance(value, ArrayValue):
        return _index_array(value, subscripts, constant=getattr(place, "constant", False))
    if len(subscripts) != 1:
        raise OracleError("only an array takes more than one subscript")
    if getattr(place, "constant", False):
        place = Variable(value.type, value)
    bits = bits_of(place)
    chosen = pick(len(bits), subscripts[0])
    return Bits(tuple(bits[at] for at in chosen), single=isinstance(subscripts[0], int))


def _index_array(array: ArrayValue, subscripts: list[Subscript], *, constant: bool) -> Reference:
    if len(subscripts) > array.cells.ndim:
        raise OracleError("more subscripts than dimensions")
    key: list[int | slice] = []
    for size, subscript in zip(array.cells.shape, subscripts, strict=False):
        chosen = pick(size, subscript)
        if isinstance(subscript, int):
            key.append(chosen[0])
        elif isinstance(subscript, Range):
            after = chosen[-1] + subscript.step
            key.append(slice(chosen[0], after if after >= 0 else None, subscript.step))
        else:
            raise OracleError("an array cannot be indexed by a set")
    if len(key) == array.cells.ndim and all(isinstance(at, int) for at in key):
        return Element(array, tuple(at for at in key if isinstance(at, int)), constant=constant)
    return ArrayView(array.base, array.cells[tuple(key)], constant=constant)

"""The state of a run by trajectories: branches side by side in one array, and what gates and measurements do to them.

A branch is a statevector with the shots that took the same way so far. The branches are the columns of one array, so
that a gate is applied to all of them in a few NumPy operations. A qubit takes part in the array from the first gate
that needs amplitudes until it is measured or reset; before and after, it is a classical bit of each branch. So what a
program costs is the qubits that are in superposition at one time, not those that it declares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reader.operations import Gate
from unitaries import DIAGONAL, controls, matrix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reader.operations import AnyUnitary

Array = np.ndarray[Any, Any]

# Amplitudes of one array, 16 bytes each: beyond it the branches are dealt with in two halves, one after the other.
LARGEST = 2**18
# Gates that leave qubits outside of the array there.
CLASSICAL = DIAGONAL | {"x", "y", "cx", "cy", "ccx", "mcx", "swap", "cswap"}
_TINY = 1e-300
_BLOCK = 2**14  # numbers of an array that a gate goes over at a time
_ROW = 256  # amplitudes in a row, each with its entry of a matrix


class Branches:
    """Branches of a program: their amplitudes, classical bits and shots, one column each.

    `active` are the qubits of the array, the one of the least significant bit of a row's number first. Any other qubit
    is a bit: a number where it is the same in all branches.
    """

    __slots__ = ("active", "amplitudes", "bindings", "cells", "times", "values")

    def __init__(  # noqa: PLR0913 - its columns
        self,
        amplitudes: Array,
        active: list[int],
        values: dict[int, Any],
        cells: Array,
        times: Array,
        bindings: Array | None,
    ) -> None:
        self.amplitudes = amplitudes
        self.active = active
        self.values = values
        self.cells = cells
        self.times = times
        self.bindings = bindings  # for each branch the circuit it belongs to, where angles are arrays; else None

    @classmethod
    def of(cls, cells: int, times: Sequence[int]) -> Branches:
        """Return one branch for each number of shots, all qubits and cells 0."""
        count = len(times)
        bindings = np.arange(count) if count > 1 else None
        return cls(np.ones((1, count), complex), [], {}, np.zeros((cells, count), np.uint8), np.array(times), bindings)

    def take(self, columns: Array, times: Array | None = None) -> Branches:
        """Return these branches, with other numbers of shots if given."""
        return Branches(
            np.take(self.amplitudes, columns, axis=1),
            list(self.active),
            {qubit: bit if isinstance(bit, int) else bit[columns] for qubit, bit in self.values.items()},
            np.take(self.cells, columns, axis=1),
            self.times[columns] if times is None else times,
            None if self.bindings is None else self.bindings[columns],
        )

    def bit(self, qubit: int) -> Any:  # noqa: ANN401 - an int or an array of one for each branch
        """Return the bit of a qubit that is not active."""
        return self.values.get(qubit, 0)

    def halves(self, qubit: int) -> Array:
        """Return a view of the amplitudes, shape (rows above, 2, rows below times branches)."""
        below = 1 << self.active.index(qubit)
        return self.amplitudes.reshape(-1, 2, below * self.amplitudes.shape[1])

    def axes(self) -> Array:
        """Return a view of shape (2, ..., 2, branches); the axis of the first active qubit is the last but one."""
        return self.amplitudes.reshape((2,) * len(self.active) + (self.amplitudes.shape[1],))

    # ------------------------------------------------------------------ gates

    def activate(self, qubit: int, gate: Any = None) -> None:  # noqa: ANN401 - a matrix
        """Put a qubit into the array, a one-qubit gate applied to it if given."""
        bit = self.values.pop(qubit, 0)
        old = self.amplitudes
        rows, count = old.shape
        new = np.zeros((2 * rows, count), complex)
        if gate is None:
            if isinstance(bit, int):
                new[bit * rows : (bit + 1) * rows] = old
            else:
                np.multiply(old, 1 - bit, out=new[:rows])
                np.multiply(old, bit, out=new[rows:])
        else:
            for side in (0, 1):
                zero, one = gate[side]
                factor = (one if bit else zero) if isinstance(bit, int) else np.where(bit, one, zero)
                np.multiply(old, factor, out=new[side * rows : (side + 1) * rows])
        self.amplitudes = new
        self.active.append(qubit)

    def gate(self, gate: AnyUnitary) -> None:  # noqa: C901, PLR0912 - one story of which qubits are active
        """Apply a gate."""
        name = gate.name
        qubits = gate.qubits
        active = self.active
        inside = [qubit in active for qubit in qubits]
        if not any(inside) and self._classical(gate):
            return
        count = controls(gate)
        entries = self._entries(gate)
        if count == 0 and len(qubits) == 1:
            if inside[0]:
                apply_one(self.halves(qubits[0]), entries, name in DIAGONAL, self.amplitudes.shape[1])
            elif name not in DIAGONAL:
                self.activate(qubits[0], entries)
            return
        if name in DIAGONAL and count:
            # All its qubits are alike; the last one that is active stands for the target.
            qubits = tuple(sorted(qubits, key=lambda qubit: qubit in active))
        kept = []
        for qubit in qubits[:count]:
            if qubit not in active:
                bit = self.bit(qubit)
                if isinstance(bit, int):
                    if not bit:
                        return
                    continue
                self.activate(qubit)
            kept.append(qubit)
        targets = qubits[count:]
        if not kept and len(targets) == 1 and targets[0] not in active:
            if name not in DIAGONAL:
                self._single(targets[0], entries)
            return
        for qubit in targets:
            if qubit not in active:
                self.activate(qubit)
        self._apply(kept, targets, entries, diagonal=name in DIAGONAL)

    def _single(self, qubit: int, entries: Any) -> None:  # noqa: ANN401 - a matrix
        """Apply to a qubit that is not active the gate that is left of one whose controls are all 1."""
        if _is(entries[0][0], 0):
            self.values[qubit] = 1 - self.bit(qubit)
        else:
            self.activate(qubit, entries)

    def _entries(self, gate: AnyUnitary) -> Any:  # noqa: ANN401 - a matrix
        entries = matrix(gate)
        angles = gate.parameters if isinstance(gate, Gate) else ()  # the others' matrices are the same for all
        if self.bindings is not None and any(isinstance(angle, np.ndarray) for angle in angles):
            columns = self.bindings
            entries = [
                [each[columns] if isinstance(each, np.ndarray) and each.ndim else each for each in row]
                for row in entries
            ]
        return entries

    def _classical(self, gate: AnyUnitary) -> bool:
        """Apply a gate to qubits none of which is active, if that leaves them so; tell whether it did."""
        name = gate.name
        qubits = gate.qubits
        if name in DIAGONAL:
            return True
        if name in ("x", "y"):
            self.values[qubits[0]] = 1 - self.bit(qubits[0])
        elif name in ("cx", "cy", "ccx", "mcx"):
            flip = self.bit(qubits[0])
            for qubit in qubits[1:-1]:
                flip = flip & self.bit(qubit)
            self.values[qubits[-1]] = self.bit(qubits[-1]) ^ flip
        elif name == "swap":
            a, b = qubits
            self.values[a], self.values[b] = self.bit(b), self.bit(a)
        elif name == "cswap":
            c, a, b = qubits
            moved = (self.bit(a) ^ self.bit(b)) & self.bit(c)
            self.values[a], self.values[b] = self.bit(a) ^ moved, self.bit(b) ^ moved
        else:
            return False
        return True

    def multiply(self, qubits: Sequence[int], entries: Any) -> None:  # noqa: ANN401 - a matrix
        """Apply any matrix to active qubits, the first the least significant of its rows."""
        if len(qubits) == 1:
            diagonal = _is(entries[0][1], 0) and _is(entries[1][0], 0)
            apply_one(self.halves(qubits[0]), entries, diagonal, self.amplitudes.shape[1])
        else:
            self._apply((), qubits, entries, diagonal=False)

    def _apply(  # noqa: C901 - one product of a matrix and a vector
        self,
        kept: Sequence[int],
        targets: Sequence[int],
        entries: Any,  # noqa: ANN401 - a matrix
        *,
        diagonal: bool,
    ) -> None:
        """Apply a matrix to active qubits where all `kept` are 1."""
        view = self.axes()
        last = len(self.active) - 1
        place: list[Any] = [slice(None)] * (last + 2)
        for qubit in kept:
            place[last - self.active.index(qubit)] = 1
        spots = [last - self.active.index(qubit) for qubit in targets]
        size = len(entries)
        parts = []
        for row in range(size):
            for position, spot in enumerate(spots):
                place[spot] = (row >> position) & 1
            parts.append(view[tuple(place)])
        if diagonal:
            for row in range(size):
                if not _is(entries[row][row], 1):
                    np.multiply(parts[row], entries[row][row], out=parts[row])
            return
        new: list[Array | None] = []
        for row in range(size):
            terms = [(column, entries[row][column]) for column in range(size) if not _is(entries[row][column], 0)]
            if len(terms) == 1 and terms[0][0] == row and _is(terms[0][1], 1):
                new.append(None)
                continue
            if not terms:
                new.append(np.zeros_like(parts[row]))
                continue
            column, factor = terms[0]
            total = parts[column].copy() if _is(factor, 1) else parts[column] * factor
            for column, factor in terms[1:]:
                total += parts[column] * factor
            new.append(total)
        for part, total in zip(parts, new, strict=True):
            if total is not None:
                part[...] = total

    # ------------------------------------------------------------------ forks

    def fork(self, leaving: Array) -> tuple[Branches, int]:
        """Return branches where `leaving` shots of each have one of their own, and how many have stayed.

        Those come first; a branch without shots is dropped.
        """
        stay = np.flatnonzero(self.times - leaving)
        leave = np.flatnonzero(leaving)
        columns = np.concatenate((stay, leave))
        times = np.concatenate(((self.times - leaving)[stay], leaving[leave]))
        return self.take(columns, times), len(stay)

    def collapse(self, qubit: int, generator: np.random.Generator) -> None:
        """Measure a qubit: it is no longer active, and its bit is the outcome of each branch."""
        if qubit not in self.active:
            return
        position = self.active.index(qubit)
        count = self.amplitudes.shape[1]
        view = self.amplitudes.reshape(-1, 2, 1 << position, count)
        parts = self.amplitudes.view(float).reshape(-1, 2, 1 << position, count, 2)
        weight = np.einsum("aibcd,aibcd->ic", parts, parts)
        share = np.minimum(weight[1] / np.maximum(weight[0] + weight[1], _TINY), 1.0)
        ones = generator.binomial(self.times, share)
        stay = np.flatnonzero(self.times - ones)
        leave = np.flatnonzero(ones)
        norms = np.concatenate((weight[0][stay], weight[1][leave])) ** -0.5
        new = np.empty((view.shape[0], view.shape[2], len(norms)), complex)
        new[..., : len(stay)] = view[:, 0][..., stay] if len(stay) < count else view[:, 0]
        new[..., len(stay) :] = view[:, 1][..., leave] if len(leave) < count else view[:, 1]
        new *= norms
        columns = np.concatenate((stay, leave))
        self.amplitudes = new.reshape(-1, len(norms))
        self.active.pop(position)
        self.values = {each: bit if isinstance(bit, int) else bit[columns] for each, bit in self.values.items()}
        if not len(leave):
            self.values[qubit] = 0
        elif not len(stay):
            self.values[qubit] = 1
        else:
            self.values[qubit] = np.repeat(np.array((0, 1), np.uint8), (len(stay), len(leave)))
        self.cells = np.take(self.cells, columns, axis=1)
        self.times = np.concatenate(((self.times - ones)[stay], ones[leave]))
        if self.bindings is not None:
            self.bindings = self.bindings[columns]

    def become(self, other: Branches) -> None:
        """Take over what the other has."""
        for name in self.__slots__:
            setattr(self, name, getattr(other, name))

    def flip(self, qubit: int, columns: slice) -> None:
        """Apply x to some branches."""
        if qubit in self.active:
            view = self.amplitudes.reshape(-1, 2, 1 << self.active.index(qubit), self.amplitudes.shape[1])
            kept = view[:, 0, :, columns].copy()
            view[:, 0, :, columns] = view[:, 1, :, columns]
            view[:, 1, :, columns] = kept
            return
        bit = self.bit(qubit)
        bit = np.full(len(self.times), bit, np.uint8) if isinstance(bit, int) else bit.copy()
        bit[columns] ^= 1
        self.values[qubit] = bit

    def sign(self, qubit: int, columns: slice) -> None:
        """Apply z to some branches."""
        if qubit in self.active:
            view = self.amplitudes.reshape(-1, 2, 1 << self.active.index(qubit), self.amplitudes.shape[1])
            view[:, 1, :, columns] *= -1


def _is(entry: Any, number: int) -> bool:  # noqa: ANN401 - a number or an array
    return not isinstance(entry, np.ndarray) and entry == number


def apply_one(view: Array, entries: Any, diagonal: bool, count: int) -> None:  # noqa: ANN401, FBT001
    """Apply a matrix of one qubit in place; the view has shape (a, 2, b), and b is a multiple of `count`."""
    (m00, m01), (m10, m11) = entries
    if np.ndarray in (type(m00), type(m01), type(m10), type(m11)):
        # Entries of each circuit, repeated so that NumPy goes over long rows.
        times = min(view.shape[2] // count, 1 << max(1, _ROW // count).bit_length() - 1)
        view = view.reshape(view.shape[0], 2, -1, count * times)
        real = not diagonal and not any(np.iscomplexobj(entry) for entry in (m00, m01, m10, m11))
        m00, m01, m10, m11 = (_repeated(entry, times, 1 + real) for entry in (m00, m01, m10, m11))
    else:
        real = isinstance(m00, float) and isinstance(m01, float) and isinstance(m10, float) and isinstance(m11, float)
        real = real and not diagonal
    if real:
        # A real matrix acts on real and imaginary parts alike, at half the price.
        view = view.view(float)
    zero, one = view[:, 0], view[:, 1]
    if diagonal:
        if not _is(m00, 1):
            np.multiply(zero, m00, out=zero)
        if not _is(m11, 1):
            np.multiply(one, m11, out=one)
    elif _is(m00, 0) and _is(m11, 0):
        kept = zero * m10 if not _is(m10, 1) else zero.copy()
        np.multiply(one, m01, out=zero)
        one[...] = kept
    elif zero.size <= _BLOCK:
        _turn(zero, one, m00, m01, m10, m11)
    else:
        for some in _blocks(zero):
            _turn(zero[some], one[some], m00, m01, m10, m11)


def _repeated(entry: Any, times: int, parts: int) -> Any:  # noqa: ANN401 - a number, or an array of one for each circuit
    return np.repeat(np.tile(entry, times), parts) if type(entry) is np.ndarray else entry


def _turn(zero: Array, one: Array, m00: Any, m01: Any, m10: Any, m11: Any) -> None:  # noqa: ANN401, PLR0913 - a matrix
    """Multiply a matrix with pairs of amplitudes, in place."""
    kept = zero * m10
    zero *= m00
    zero += one * m01
    one *= m11
    one += kept


def _blocks(part: Array) -> Iterator[Any]:
    """Yield what makes blocks of an array, so small that what is worked out of them stays in a core's cache."""
    rows, columns = part.shape[:2]
    each = max(1, _BLOCK // (part.size // rows))
    if each > 1 or part.ndim == 2:  # noqa: PLR2004 - rows that are as long as they are
        yield from (slice(start, start + each) for start in range(0, rows, each))
        return
    wide = max(1, _BLOCK // (part.size // rows // columns))
    for row in range(rows):
        yield from ((row, slice(start, start + wide)) for start in range(0, columns, wide))


def merge(parts: Sequence[Branches]) -> Branches:
    """Return all branches side by side, at least one."""
    parts = [part for part in parts if len(part.times)] or list(parts[:1])
    if len(parts) == 1:
        return parts[0]
    active = list(dict.fromkeys(qubit for part in parts for qubit in part.active))
    for part in parts:
        for qubit in active:
            if qubit not in part.active:
                part.activate(qubit)
        if part.active != active:
            last = len(active) - 1
            order = [last - part.active.index(qubit) for qubit in reversed(active)]
            part.amplitudes = part.axes().transpose([*order, last + 1]).reshape(part.amplitudes.shape)
            part.active = list(active)
    values: dict[int, Any] = {}
    for qubit in dict.fromkeys(qubit for part in parts for qubit in part.values):
        bits = [part.bit(qubit) for part in parts]
        if all(isinstance(bit, int) for bit in bits) and len(set(bits)) == 1:
            values[qubit] = bits[0]
        else:
            full = [
                np.full(len(part.times), bit, np.uint8) if isinstance(bit, int) else bit
                for part, bit in zip(parts, bits, strict=True)
            ]
            values[qubit] = np.concatenate(full)
    return Branches(
        np.concatenate([part.amplitudes for part in parts], axis=1),
        active,
        values,
        np.concatenate([part.cells for part in parts], axis=1),
        np.concatenate([part.times for part in parts]),
        None if parts[0].bindings is None else np.concatenate([part.bindings for part in parts]),
    )

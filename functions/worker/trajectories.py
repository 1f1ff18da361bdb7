"""Engine for programs whose shots part ways: statevectors of all shots at once, held once for shots that are alike.

Measurements, resets and noise fork a *branch* in two; a branch knows how many shots took it, and those numbers are
drawn from binomial distributions, which is the same as drawing each shot. Branches lie side by side in one array, so
that a gate is applied to all of them in a few NumPy operations. A qubit takes part in the array from the first gate
that needs amplitudes until it is measured or reset; before and after, it is a classical bit of each branch. So what a
program costs is the qubits that are in superposition at one time, not those that it declares.

Law: the outcomes have the distribution of the program, run once for each shot. One seed gives the same outcomes
whatever the machine and its memory: what decides the order of the draws depends on the program and the shots alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from counts import Outcomes, concatenate
from logic_arrays import evaluate
from reader.operations import Barrier, If, Measure, Reset, Store, While, cells_read, walk
from tasks.limits import WORKING_BYTES
from unitaries import DIAGONAL, controls, matrix

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from noise import PauliNoise
    from reader.operations import AnyUnitary, Compiled, Operation

Array = np.ndarray[Any, Any]

NAME = "trajectories"
VERSIONS = {"numpy": np.__version__}

# Amplitudes of one array, 16 bytes each: beyond it the branches are dealt with in two halves, one after the other.
LARGEST = 2**18
# With more branches than this, final measurements are made one qubit after the other, all branches at once.
FEW = 8
_TINY = 1e-300
# Measured on one core of 2026: a NumPy call, and an amplitude that it goes over.
_START_S = 1e-4
_CALL_S = 1.2e-6
_AMPLITUDE_S = 4e-9
_ROUNDS = 8.0  # that a loop is taken to run for
_CLASSICAL = DIAGONAL | {"x", "y", "cx", "cy", "ccx", "mcx", "swap", "cswap"}


class Cost(NamedTuple):
    """What running a program takes: seconds on one core, and the most qubits in superposition at a time."""

    seconds: float
    width: int


def cost(program: Compiled, noise: PauliNoise, shots: int) -> Cost:
    """Estimate a run, without running anything; typical programs take between a third of it and all of it.

    An operation costs some NumPy calls and its share of all branches' amplitudes. Each collapse doubles the branches,
    until each shot has its own; a wrong bit or a Pauli error makes more of them.
    """
    estimate = _Estimate(noise, shots)
    estimate.over(program.operations, 1.0)
    return Cost(_START_S + estimate.seconds, estimate.width)


def memory(program: Compiled, width: int, shots: int) -> int:
    """Return the bytes that a run takes whose states are this wide."""
    amplitudes = 16 * max(LARGEST, 1 << width)
    waiting = 16 * LARGEST * 20
    return WORKING_BYTES + 4 * amplitudes + waiting + shots * (program.cells + 64)


class _Estimate:
    """The running totals of `cost`."""

    def __init__(self, noise: PauliNoise, shots: int) -> None:
        self.noise = noise
        self.shots = shots
        self.branches = 1.0
        self.active: set[int] = set()
        self.width = 0
        self.seconds = 0.0

    def spend(self, calls: int, passes: float, times: float) -> None:
        """Count NumPy calls, and how often they go over all amplitudes."""
        amplitudes = self.branches * 2.0 ** min(len(self.active), 500)
        self.seconds += times * (calls * _CALL_S + passes * amplitudes * _AMPLITUDE_S)

    def over(self, operations: Iterable[Operation], times: float) -> None:
        """Count operations that run this many times."""
        for operation in operations:
            if isinstance(operation, Measure | Reset):
                self.spend(30, 3, times)
                if operation.qubit in self.active:
                    self.branches = min(self.shots, 2 * self.branches)
                    self.active.discard(operation.qubit)
                if isinstance(operation, Measure) and self.noise.on_readout:
                    self.branches = min(self.shots, 2 * self.branches)
            elif isinstance(operation, If):
                self.spend(30, 4, times)
                self.over(operation.then, times)
                self.over(operation.otherwise, times)
            elif isinstance(operation, While):
                self.over(operation.body, times * _ROUNDS)
            elif isinstance(operation, Store):
                self.spend(4, 0, times)
            elif not isinstance(operation, Barrier):
                self.gate(operation, times)

    def gate(self, gate: AnyUnitary, times: float) -> None:
        """Count a gate."""
        qubits = gate.qubits
        if gate.name not in _CLASSICAL or any(qubit in self.active for qubit in qubits):
            self.active.update(qubits)
            self.width = max(self.width, len(self.active))
        targets = len(qubits) - controls(gate)
        self.spend(8 if targets == 1 else 4**targets, 2.0 ** (targets - controls(gate)), times)
        chance = self.noise.chance(gate)
        if chance:
            self.branches = min(self.shots, self.branches + chance * self.shots)
            self.spend(8, 2 * min(1.0, chance * self.shots / self.branches), times)


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
        if self.bindings is not None and any(isinstance(angle, np.ndarray) for angle in gate.parameters):
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
    several = isinstance(m00, np.ndarray) or isinstance(m11, np.ndarray)
    if several:
        view = view.reshape(view.shape[0], 2, -1, count)
    zero, one = view[:, 0], view[:, 1]
    if diagonal:
        if not _is(m00, 1):
            np.multiply(zero, m00, out=zero)
        if not _is(m11, 1):
            np.multiply(one, m11, out=one)
        return
    if _is(m00, 0) and _is(m11, 0):
        kept = zero * m10 if not _is(m10, 1) else zero.copy()
        np.multiply(one, m01, out=zero)
        one[...] = kept
        return
    if not several and all(isinstance(each, float) for each in (m00, m01, m10, m11)):
        # A real matrix acts on real and imaginary parts alike, at half the price.
        zero, one = view.view(float)[:, 0], view.view(float)[:, 1]
    kept = zero * m10
    zero *= m00
    zero += one * m01
    one *= m11
    one += kept


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


class Runner:
    """Runs a program's operations on branches."""

    def __init__(self, program: Compiled, noise: PauliNoise | None, generator: np.random.Generator) -> None:
        used = {cell for output in program.outputs for cell in output.cells}
        for operation in walk(program.operations):
            if isinstance(operation, Measure | Store):
                used.add(operation.cell)
            used.update(cells_read(operation))
        self.rows = {cell: row for row, cell in enumerate(sorted(used))}
        self.wanted = [self.rows[cell] for output in program.outputs for cell in output.cells]
        self.operations = program.operations
        self.noise = noise
        self.generator = generator

    def outcomes(self, shots: int) -> Outcomes:
        """Run the program `shots` times."""
        finals = self.finals()
        body = len(self.operations) - finals
        waiting = [(Branches.of(len(self.rows), [shots]), 0)]
        found = []
        while waiting:
            branches, at = waiting.pop()
            while at < body:
                self.step(branches, self.operations[at])
                at += 1
                if branches.amplitudes.size > LARGEST and len(branches.times) > 1:
                    middle = len(branches.times) // 2
                    waiting.append((branches.take(np.arange(middle, len(branches.times))), at))
                    branches = branches.take(np.arange(middle))
            if finals and len(branches.times) <= FEW:
                found += [
                    self.sample(branches, column, self.operations[body:]) for column in range(len(branches.times))
                ]
            else:
                for operation in self.operations[body:]:
                    self.step(branches, operation)
                found.append(Outcomes.of(branches.cells[self.wanted], branches.times))
        joined = concatenate(found)
        if joined.times is None and len(found) > 1:
            # They stand branch by branch: who wants single shots must mix them, as where outcomes have their times.
            return Outcomes(joined.rows, np.ones(len(joined.rows), np.int64))
        return joined

    def finals(self) -> int:
        """Return how many operations at the end are measurements of a qubit each."""
        seen: set[int] = set()
        count = 0
        for operation in reversed(self.operations):
            if isinstance(operation, Measure) and operation.qubit not in seen:
                seen.add(operation.qubit)
            elif not isinstance(operation, Barrier):
                break
            count += 1
        return count

    def run(self, branches: Branches, operations: Iterable[Operation]) -> None:
        """Run operations."""
        for operation in operations:
            self.step(branches, operation)

    def step(self, branches: Branches, operation: Operation) -> None:
        """Run one operation."""
        if isinstance(operation, Measure):
            branches.collapse(operation.qubit, self.generator)
            self.record(branches, operation)
        elif isinstance(operation, Reset):
            branches.collapse(operation.qubit, self.generator)
            branches.values[operation.qubit] = 0
        elif isinstance(operation, Store):
            branches.cells[self.rows[operation.cell]] = evaluate(operation.value, branches.cells, self.rows)
        elif isinstance(operation, If):
            self.test(branches, operation)
        elif isinstance(operation, While):
            self.loop(branches, operation)
        elif not isinstance(operation, Barrier):
            branches.gate(operation)
            if self.noise is not None:
                chance = self.noise.chance(operation)
                if chance:
                    self.err(branches, operation.qubits, chance)

    def record(self, branches: Branches, operation: Measure) -> None:
        """Write a measured qubit's bit into its cell, readout errors included."""
        row = self.rows[operation.cell]
        bit = branches.bit(operation.qubit)
        branches.cells[row] = bit
        if self.noise is None or not self.noise.on_readout:
            return
        chance = np.where(bit, self.noise.one_as_zero, self.noise.zero_as_one)
        wrong = self.generator.binomial(branches.times, chance)
        if wrong.any():
            forked, stayed = branches.fork(wrong)
            forked.cells[row, stayed:] ^= 1
            branches.become(forked)

    def err(self, branches: Branches, qubits: tuple[int, ...], chance: float) -> None:
        """Apply to each shot, with that chance, one of the Paulis on these qubits but the identity."""
        wrong = self.generator.binomial(branches.times, chance)
        if not wrong.any():
            return
        paulis = 4 ** len(qubits) - 1
        which = np.flatnonzero(wrong)
        each = self.generator.multinomial(wrong[which], np.full(paulis, 1 / paulis))
        stay = np.flatnonzero(branches.times - wrong)
        columns, times, ends = [stay], [(branches.times - wrong)[stay]], [len(stay)]
        for pauli in range(paulis):
            hit = np.flatnonzero(each[:, pauli])
            columns.append(which[hit])
            times.append(each[hit, pauli])
            ends.append(ends[-1] + len(hit))
        forked = branches.take(np.concatenate(columns), np.concatenate(times))
        for pauli in range(1, paulis + 1):
            at = slice(ends[pauli - 1], ends[pauli])
            if at.start == at.stop:
                continue
            for position, qubit in enumerate(qubits):
                letter = (pauli >> (2 * position)) & 3
                if letter & 1:
                    forked.flip(qubit, at)
                if letter & 2:
                    forked.sign(qubit, at)
        branches.become(forked)

    def test(self, branches: Branches, operation: If) -> None:
        """Run both sides of a test, each on the branches that take it."""
        value = evaluate(operation.condition, branches.cells, self.rows)
        yes = np.flatnonzero(value)
        if len(yes) == len(branches.times):
            self.run(branches, operation.then)
        elif not len(yes):
            self.run(branches, operation.otherwise)
        else:
            taken = branches.take(yes)
            other = branches.take(np.flatnonzero(value == 0))
            self.run(taken, operation.then)
            self.run(other, operation.otherwise)
            branches.become(merge([taken, other]))

    def loop(self, branches: Branches, operation: While) -> None:
        """Run a loop until all branches have left it."""
        row = self.rows[operation.cell]
        done = []
        inside = branches
        while True:
            value = inside.cells[row]
            if not value.all():
                done.append(inside.take(np.flatnonzero(value == 0)))
                inside = inside.take(np.flatnonzero(value))
                if not len(inside.times):
                    break
            self.run(inside, operation.body)
        branches.become(merge(done))

    def sample(self, branches: Branches, column: int, finals: Sequence[Operation]) -> Outcomes:
        """Return what the final measurements of one branch give, all qubits at once."""
        shots = int(branches.times[column])
        rows = len(branches.amplitudes)
        parts = branches.amplitudes[:, column].copy().view(float).reshape(rows, 2) if rows > 1 else None
        cells = np.repeat(branches.cells[:, column : column + 1], shots, axis=1)
        if parts is not None:
            ladder = np.cumsum(np.einsum("ij,ij->i", parts, parts))
            drawn = np.searchsorted(ladder, self.generator.random(shots) * ladder[-1], side="right")
            drawn = np.minimum(drawn, rows - 1)
        for operation in finals:
            if not isinstance(operation, Measure):
                continue
            qubit = operation.qubit
            if qubit in branches.active:
                bit: Any = (drawn >> branches.active.index(qubit)) & 1
            else:
                known = branches.bit(qubit)
                bit = np.full(shots, known if isinstance(known, int) else known[column])
            if self.noise is not None and self.noise.on_readout:
                chance = np.where(bit, self.noise.one_as_zero, self.noise.zero_as_one)
                bit = bit ^ (self.generator.random(shots) < chance)
            cells[self.rows[operation.cell]] = bit
        return Outcomes.of(cells[self.wanted])

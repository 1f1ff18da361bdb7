"""Engine for exact results under noise: the density matrix that a program leaves, in parts by its classical bits.

Where `ensemble` keeps states with their probabilities, of which errors make ever more, here errors cost what gates do.
For each record of the classical bits that the program still reads there is one part: an unnormalised density matrix
whose trace is the probability of the record. What is measured and never read only takes coherence away.

Law: the sum of the parts is the density matrix of the program's qubits, within 1e-9. A part that is less probable than
rounding is left out, and a loop that some shots never leave is left once those have a probability below TINY.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import numpy as np

from channels import preserving
from ensemble import ROUNDING, TINY
from logic_arrays import evaluate
from reader.operations import Barrier, Channel, If, Measure, Reset, Store, While, cells_read, cells_written, walk
from tasks.errors import ErrorCode, TaskError
from unitaries import controls, matrix

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from reader.operations import AnyUnitary, Compiled, Operation
    from tasks.noise.channels import Error, Step
    from tasks.observables import PauliSum

Array = np.ndarray[Any, Any]

NAME = "densities"
LARGEST = 2**22  # numbers in all parts, 16 bytes each
# Seconds on one core for a number that an operation goes over, and for an operation.
NUMBER_S, OPERATION_S = 4e-9, 1e-4
_FUSED = 2  # qubits of gates and errors that are multiplied with each other first
_PAULIS = {"I": np.eye(2), "X": [[0, 1], [1, 0]], "Y": [[0, -1j], [1j, 0]], "Z": [[1, 0], [0, -1]]}
# Kraus operators: those of a reset, and of a measurement, one for each outcome.
_RESET = np.array([[[1, 0], [0, 0]], [[0, 1], [0, 0]]], complex)
_MEASURED = np.array([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], complex)


class Cost(NamedTuple):
    """What a program takes on one core."""

    seconds: float
    bytes: int


def cost(program: Compiled, qubits: int) -> Cost:
    """Return about what a program of that many qubits takes, each of whose bits that are read doubles the parts."""
    every = list(walk(program.operations))
    read = {cell for operation in every for cell in cells_read(operation)}
    numbers = min(4.0**qubits * 2.0 ** min(len(read), 30), LARGEST)
    return Cost(len(every) * (OPERATION_S + NUMBER_S * numbers), 5 * 16 * int(numbers))


class Densities:
    """What a program ends in; `qubits` are those that it uses."""

    def __init__(self, program: Compiled, qubits: Iterable[int]) -> None:
        """Run the program. Raises TaskError for too many records."""
        self.place = {qubit: place for place, qubit in enumerate(sorted(qubits))}
        self.width = len(self.place)
        cells = {cell for each in walk(program.operations) for cell in (*cells_read(each), *cells_written(each))}
        self.rows = {cell: row for row, cell in enumerate(sorted(cells))}
        self.planned: dict[tuple[int, frozenset[int]], list[tuple[Operation | _Fused, frozenset[int]]]] = {}
        start = np.zeros((2,) * (2 * self.width) + (1,), complex)
        start[(0,) * start.ndim] = 1
        parts = _Parts(start, np.zeros((len(self.rows), 1), np.uint8))
        self.run(parts, program.operations, frozenset())
        whole = parts.numbers.sum(axis=-1).reshape(1 << self.width, 1 << self.width)
        self.matrix = whole / np.trace(whole).real

    # ------------------------------------------------------------------ results

    def probabilities(self, qubits: Sequence[int]) -> Array:
        """Return the probability of each basis state of these qubits, shape (2^k,); the first is the lowest bit."""
        indexes = np.arange(1 << self.width)
        numbers = np.zeros(len(indexes), np.int64)
        for at, qubit in enumerate(qubits):
            if qubit in self.place:
                numbers |= ((indexes >> self.place[qubit]) & 1) << at
        return np.bincount(numbers, np.diag(self.matrix).real, minlength=1 << len(qubits))

    def density_matrix(self, qubits: Sequence[int]) -> Array:
        """Return the density matrix of these qubits, shape (2^k, 2^k); the first is the lowest bit of an index."""
        there = [qubit for qubit in qubits if qubit in self.place]
        wanted = [self.width - 1 - self.place[qubit] for qubit in reversed(there)]
        others = [axis for axis in range(self.width) if axis not in wanted]
        axes = [*wanted, *others]
        tensor = self.matrix.reshape((2,) * (2 * self.width))
        tensor = tensor.transpose([*axes, *(self.width + axis for axis in axes)])
        shape = (1 << len(wanted), 1 << len(others))
        reduced = np.einsum("iaja->ij", tensor.reshape(shape * 2))
        # A qubit that nothing uses is 0.
        spots = np.zeros(shape[0], np.int64)
        for at, qubit in enumerate(there):
            spots |= ((np.arange(shape[0]) >> at) & 1) << qubits.index(qubit)
        found = np.zeros((1 << len(qubits),) * 2, complex)
        found[np.ix_(spots, spots)] = reduced
        return found

    def expectation(self, terms: PauliSum) -> float:
        """Return the value of an observable."""
        indexes = np.arange(1 << self.width)
        total = 0.0
        for pauli, factor in terms:
            letters = [(qubit, letter) for qubit, letter in enumerate(reversed(pauli)) if letter != "I"]
            if any(qubit not in self.place and letter in "XY" for qubit, letter in letters):
                continue
            flips = sum(1 << self.place[qubit] for qubit, letter in letters if letter in "XY")
            signs = sum(1 << self.place[qubit] for qubit, letter in letters if letter in "YZ" and qubit in self.place)
            phase = 1j ** sum(letter == "Y" for _, letter in letters)
            weights = phase * (1.0 - 2.0 * (np.bitwise_count(indexes & signs) & 1))
            total += factor * float((weights @ self.matrix[indexes, indexes ^ flips]).real)
        return total

    # ------------------------------------------------------------------ operations

    def run(self, parts: _Parts, operations: Sequence[Operation], after: frozenset[int]) -> None:
        """Run operations; `after` are the cells that are read later."""
        for operation, live in self.steps(operations, after):
            if not parts.count:  # no shot comes here
                return
            self.step(parts, operation, live)

    def steps(
        self, operations: Sequence[Operation], after: frozenset[int]
    ) -> list[tuple[Operation | _Fused, frozenset[int]]]:
        """Return the operations, those on the same qubits as one, each with the cells that are read later."""
        key = (id(operations), after)
        if key in self.planned:
            return self.planned[key]
        found: list[tuple[Operation, frozenset[int]]] = []
        for each in reversed(operations):
            found.append((each, after))
            after = self.before(each, after)
        steps: list[tuple[Operation | _Fused, frozenset[int]]] = []
        self.planned[key] = steps
        some: list[Channel | AnyUnitary] = []
        for operation, live in reversed(found):
            if _is_small(operation):
                if some and len({*_qubits(some), *operation.qubits}) > max(_FUSED, len(_qubits(some))):
                    steps.append((_Fused(tuple(some)), live))
                    some = []
                some.append(operation)
                continue
            if some:
                steps.append((_Fused(tuple(some)), live))
                some = []
            steps.append((operation, live))
        if some:
            steps.append((_Fused(tuple(some)), after))
        return steps

    def step(self, parts: _Parts, operation: Operation | _Fused, live: frozenset[int]) -> None:
        """Run one operation; `live` are the cells that are read after it."""
        if isinstance(operation, _Fused):
            operation.apply(parts, self.place)
        elif isinstance(operation, Measure):
            self.measure(parts, operation, live)
        elif isinstance(operation, Reset):
            parts.apply(of_kraus(_RESET), [self.place[operation.qubit]])
        elif isinstance(operation, Store):
            parts.cells[self.rows[operation.cell]] = evaluate(operation.value, parts.cells, self.rows)
            self.forget(parts, live)
        elif isinstance(operation, If):
            value = np.broadcast_to(evaluate(operation.condition, parts.cells, self.rows), parts.count)
            taken, other = parts.take(value == 1), parts.take(value == 0)
            self.run(taken, operation.then, live)
            self.run(other, operation.otherwise, live)
            parts.become([taken, other])
            self.forget(parts, live)
        elif isinstance(operation, While):
            self.loop(parts, operation, live)
        elif not isinstance(operation, Barrier):
            _act(parts, operation, self.place)

    def measure(self, parts: _Parts, operation: Measure, live: frozenset[int]) -> None:
        """Measure a qubit: where its bit is read later, each part becomes one for each value."""
        places = [self.place[operation.qubit]]
        if operation.cell not in live:
            parts.apply(of_kraus(_MEASURED), places)
            return
        _check(2 * parts.count, 2 * parts.numbers.size)
        zero_as_one, one_as_zero = operation.flips
        read = []
        for bit, chances in enumerate(((1 - zero_as_one, one_as_zero), (zero_as_one, 1 - one_as_zero))):
            part = parts.take(np.ones(parts.count, bool))
            weights = np.sqrt(chances)[:, np.newaxis, np.newaxis]
            part.apply(of_kraus(weights * _MEASURED), places)
            part.cells[self.rows[operation.cell]] = bit
            read.append(part)
        parts.become(read)
        self.forget(parts, live)

    def loop(self, parts: _Parts, operation: While, live: frozenset[int]) -> None:
        """Run a loop until all shots have left it, except for those of negligible probability."""
        again = live | _read_in(operation)
        left = parts.take(np.zeros(parts.count, bool))
        row = self.rows[operation.cell]
        while parts.count:
            stays = parts.cells[row] == 1
            left.become([left, parts.take(~stays)])
            self.forget(left, live)
            inside = parts.take(stays & (parts.traces() >= TINY))
            self.run(inside, operation.body, again)
            parts.become([inside])
        parts.become([left])

    def forget(self, parts: _Parts, live: Collection[int]) -> None:
        """Add up the parts that nothing distinguishes any more, and leave out those that no shot is in."""
        parts.cells[[row for cell, row in self.rows.items() if cell not in live]] = 0
        if parts.count > 1:
            parts.merge()

    def before(self, operation: Operation, after: frozenset[int]) -> frozenset[int]:
        """Return the cells whose values before an operation matter, given those that do after it."""
        if isinstance(operation, While):
            return after | _read_in(operation)
        if isinstance(operation, If):
            sides = [after, after]
            for side, body in enumerate((operation.then, operation.otherwise)):
                for inner in reversed(body):
                    sides[side] = self.before(inner, sides[side])
            return sides[0] | sides[1] | frozenset(cells_read(operation))
        return (after - frozenset(cells_written(operation))) | frozenset(cells_read(operation))


class _Parts:
    """Density matrices side by side, shape (2, ..., 2, parts): axes of rows, then of columns, the last qubit first."""

    def __init__(self, numbers: Array, cells: Array) -> None:
        self.numbers = numbers
        self.cells = cells  # the bits of each part, shape (cells, parts)

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.cells.shape[1])

    def take(self, which: Array) -> _Parts:
        """Return some of them."""
        return _Parts(self.numbers[..., which], self.cells[:, which])

    def become(self, others: Sequence[_Parts]) -> None:
        """Take over the parts of others."""
        self.numbers = np.concatenate([other.numbers for other in others], axis=-1)
        self.cells = np.concatenate([other.cells for other in others], axis=1)

    def traces(self) -> Array:
        """Return the probability of each."""
        side = 1 << (self.numbers.ndim // 2)
        return np.asarray(np.einsum("iip->p", self.numbers.reshape(side, side, self.count)).real)

    def merge(self) -> None:
        """Add up those with the same bits; leave out those that are less probable than rounding."""
        kept = self.take(self.traces() >= ROUNDING)
        records, which = np.unique(kept.cells, axis=1, return_inverse=True)
        which = which.reshape(-1)
        if records.shape[1] == kept.count:
            self.numbers, self.cells = kept.numbers, kept.cells
            return
        sums = np.zeros((*kept.numbers.shape[:-1], records.shape[1]), complex)
        for part, record in enumerate(which):
            sums[..., record] += kept.numbers[..., part]
        self.numbers, self.cells = sums, records

    @property
    def width(self) -> int:
        """The number of their qubits."""
        return self.numbers.ndim // 2

    def apply(self, superoperator: Array, places: Sequence[int]) -> None:
        """Apply a channel; the first of its places is the lowest bit of its rows."""
        axes = [side - 1 - place for side in (self.width, 2 * self.width) for place in reversed(places)]
        self.multiply(superoperator, [], axes)

    def turn(self, gate: AnyUnitary, places: Sequence[int]) -> None:
        """Apply a gate from both sides."""
        count = controls(gate)
        entries = np.array(matrix(gate), complex)
        for side, of_side in ((self.width, entries), (2 * self.width, entries.conj())):
            axes = [side - 1 - place for place in places]
            self.multiply(of_side, axes[:count], axes[count:][::-1])

    def multiply(self, entries: Array, ones: Sequence[int], axes: Sequence[int]) -> None:
        """Multiply a matrix with some axes, the first the most significant, where the axes of `ones` are at 1."""
        index: list[Any] = [slice(None)] * self.numbers.ndim
        for axis in ones:
            index[axis] = 1
        numbers = self.numbers
        view = numbers[tuple(index)]
        moved = np.moveaxis(view, [axis - sum(one < axis for one in ones) for axis in axes], range(len(axes)))
        made = (entries @ moved.reshape(len(entries), -1)).reshape(moved.shape)
        if ones:
            moved[...] = made
        else:
            self.numbers = np.moveaxis(made, range(len(axes)), axes)


class _Fused(NamedTuple):
    """Gates and errors one after another on the same few qubits, which act as one channel."""

    operations: tuple[Channel | AnyUnitary, ...]

    def apply(self, parts: _Parts, place: Mapping[int, int]) -> None:
        """Apply the channel, which is made when it is needed: those of a long program would fill the memory."""
        qubits = _qubits(self.operations)
        size = 4 ** len(qubits)
        # What they make of each entry of a density matrix.
        entries = np.eye(size, dtype=complex).reshape((2,) * (2 * len(qubits)) + (size,))
        small = _Parts(entries, np.zeros((0, size), np.uint8))
        inner = {qubit: at for at, qubit in enumerate(qubits)}
        for operation in self.operations:
            _act(small, operation, inner)
        parts.apply(small.numbers.reshape(size, size), [place[qubit] for qubit in qubits])


def _act(parts: _Parts, operation: Channel | AnyUnitary, place: Mapping[int, int]) -> None:
    """Apply a gate or an error."""
    places = [place[qubit] for qubit in operation.qubits]
    if isinstance(operation, Channel):
        parts.apply(channel(operation.error), places)
    elif places:
        parts.turn(operation, places)


def _is_small(operation: Operation) -> TypeGuard[Channel | AnyUnitary]:
    return not isinstance(operation, Measure | Reset | Store | If | While | Barrier) and (
        0 < len(operation.qubits) <= _FUSED
    )


def _qubits(operations: Iterable[Channel | AnyUnitary]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(qubit for operation in operations for qubit in operation.qubits))


def _read_in(operation: While) -> frozenset[int]:
    """Return the cells that a loop reads anywhere."""
    return frozenset(cell for inner in walk([operation]) for cell in cells_read(inner))


def _check(parts: int, numbers: int) -> None:
    """Raise TaskError where there are too many numbers."""
    if numbers > LARGEST:
        raise TaskError(
            ErrorCode.CIRCUIT_TOO_LARGE,
            f"Exact results of this program under noise take {parts:,} density matrices, one for each value of the "
            f"measured bits that it still reads: more than {LARGEST:,} numbers.",
            limit=LARGEST,
            actual=numbers,
            hint="Ask for counts, where each shot takes one path, or for results of fewer qubits.",
        )


# ------------------------------------------------------------------ superoperators


def of_kraus(operators: Array) -> Array:
    """Return the sum of K (x) K* as a matrix over rows and columns of a density matrix, the rows' bits first."""
    size = operators.shape[1]
    return np.asarray(np.einsum("kij,kab->iajb", operators, operators.conj())).reshape(size * size, size * size)


@lru_cache(maxsize=1_024)
def channel(error: Error) -> Array:
    """Return an error as a matrix over rows and columns of the density matrix of its qubits."""
    size = 4**error.qubits
    total = error.stay * np.eye(size, dtype=complex)
    for chance, steps in error.terms:
        made = np.eye(size, dtype=complex)
        for step in steps:
            made = of_kraus(_operators(step, error.qubits)) @ made
        total += chance * made
    return total


def _operators(step: Step, qubits: int) -> Array:
    """Return the Kraus operators of a step on all qubits of its error, shape (k, 2^n, 2^n)."""
    if step.kind == "pauli":
        made: Array = np.eye(1)
        for letter in reversed(step.data):
            made = np.kron(made, _PAULIS[letter])
        return _spread(made[np.newaxis], step.places, qubits)
    if step.kind == "reset":
        down = _RESET if not step.data else _RESET[:, ::-1]
        return _spread(down, step.places, qubits)
    given = np.array([step.data], complex) if step.kind == "unitary" else preserving(step.data)
    return _spread(given, step.places, qubits)


def _spread(operators: Array, places: Sequence[int], qubits: int) -> Array:
    """Return operators on some places as operators on all qubits."""
    rest = [place for place in range(qubits) if place not in places]
    wide = np.kron(np.eye(1 << len(rest)), operators)  # the places are the lowest bits
    order: Mapping[int, int] = {place: at for at, place in enumerate([*places, *rest])}
    axes = [qubits - order[place] for place in reversed(range(qubits))]
    tensor = wide.reshape((len(operators), *(2,) * (2 * qubits)))
    return tensor.transpose([0, *axes, *(qubits + axis for axis in axes)]).reshape(wide.shape)
